using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>
/// What a pipeline's request states of generation, checked. Arguments stand by their names, or within <c>generate_parameters</c>;
/// one that stands outside wins.
/// </summary>
internal sealed class StatedArguments
{
    private const int MaxTokens = 1_000_000;
    private const int MaxPairs = 1024;
    private const double MaxTemperature = 100;

    private readonly PipelineParameters _outer;
    private readonly PipelineGenerationArguments _inner;

    public StatedArguments(PipelineParameters? parameters)
    {
        _outer = parameters ?? new PipelineParameters();
        _inner = _outer.GenerateParameters ?? new PipelineGenerationArguments();
    }

    public long? Seed => _outer.Seed ?? _inner.Seed;

    /// <summary>Texts for each input.</summary>
    public int Choices => Pick("num_return_sequences", a => a.NumReturnSequences) is var (name, count) ? GenerationRules.CheckChoices(name, count) : 1;

    /// <summary>Texts that end the generation.</summary>
    public IReadOnlyList<string> Stops =>
    [
        .. GenerationRules.CheckStop("parameters.stop", _outer.Stop)
            .Concat(GenerationRules.CheckStop("parameters.stop_sequence", _outer.StopSequence))
            .Concat(GenerationRules.CheckStop("parameters.stop_strings", _outer.StopStrings ?? _inner.StopStrings)),
    ];

    /// <summary>Names of arguments that nobody knows.</summary>
    public IDictionary<string, JsonElement> Unknown =>
        (_inner.Unknown ?? new Dictionary<string, JsonElement>()).Concat(_outer.Unknown ?? new Dictionary<string, JsonElement>())
            .GroupBy(argument => argument.Key).ToDictionary(group => group.Key, group => group.Last().Value);

    /// <param name="vocabulary">The model's ids go from 0 to one less.</param>
    public GenerateArguments Read(int vocabulary) => new()
    {
        MaxNewTokens = (int?)Long("max_new_tokens", a => a.MaxNewTokens),
        MaxLength = (int?)Long("max_length", a => a.MaxLength),
        MinNewTokens = Whole("min_new_tokens", a => a.MinNewTokens, 0),
        MinLength = Whole("min_length", a => a.MinLength, 0),
        NumBeams = Whole("num_beams", a => a.NumBeams, 1, BeamFields.MaxBeams),
        NumReturnSequences = Pick("num_return_sequences", a => a.NumReturnSequences).Value is null ? null : Choices,
        LengthPenalty = Number("length_penalty", a => a.LengthPenalty, -100, 100),
        EarlyStopping = Pick("early_stopping", a => a.EarlyStopping) is var (early, word) ? BeamFields.EarlyStoppingOf(early, word) : null,
        RenormalizeLogits = Pick("renormalize_logits", a => a.RenormalizeLogits).Value,
        NoRepeatNgramSize = Whole("no_repeat_ngram_size", a => a.NoRepeatNgramSize, 0),
        EncoderNoRepeatNgramSize = Whole("encoder_no_repeat_ngram_size", a => a.EncoderNoRepeatNgramSize, 0),
        RepetitionPenalty = Pick("repetition_penalty", a => a.RepetitionPenalty) is var (penalty, amount) && amount is not null ? GenerationRules.CheckPenalty(penalty, amount) : null,
        BadWordsIds = Words(vocabulary),
        SequenceBias = Biases(vocabulary),
        SuppressTokens = Ids("suppress_tokens", _outer.SuppressTokens, _inner.SuppressTokens, vocabulary),
        BeginSuppressTokens = Ids("begin_suppress_tokens", _outer.BeginSuppressTokens, _inner.BeginSuppressTokens, vocabulary),
        ForcedBosTokenId = Id("forced_bos_token_id", a => a.ForcedBosTokenId, vocabulary),
        ForcedEosTokenId = Id("forced_eos_token_id", a => a.ForcedEosTokenId, vocabulary),
        DecoderStartTokenId = Id("decoder_start_token_id", a => a.DecoderStartTokenId, vocabulary),
        EosTokenId = EndTokens(vocabulary),
        DoSample = Pick("do_sample", a => a.DoSample).Value,
        Temperature = Number("temperature", a => a.Temperature, 0, MaxTemperature),
        TopK = Pick("top_k", a => a.TopK).Value is PipelineParameters.All ? null : Whole("top_k", a => a.TopK, 0, int.MaxValue),
        TopP = Share("top_p", a => a.TopP),
        MinP = Number("min_p", a => a.MinP, 0, 1),
        TypicalP = Share("typical_p", a => a.TypicalP),
        EpsilonCutoff = Number("epsilon_cutoff", a => a.EpsilonCutoff, 0, 0.999999),
        EtaCutoff = Number("eta_cutoff", a => a.EtaCutoff, 0, 0.999999),
    };

    /// <summary>Arguments that say how to draw, and so have no effect where nothing is drawn.</summary>
    public IEnumerable<string> Sampling()
    {
        (string Name, bool IsStated)[] arguments =
        [
            ("temperature", Pick("", a => a.Temperature).Value is not null),
            ("top_p", Pick("", a => a.TopP).Value is not null),
            ("top_k", Pick("", a => a.TopK).Value is not (null or PipelineParameters.All)),
            ("min_p", Pick("", a => a.MinP).Value is not null),
            ("typical_p", Pick("", a => a.TypicalP).Value is not null),
            ("epsilon_cutoff", Pick("", a => a.EpsilonCutoff).Value is not null),
            ("eta_cutoff", Pick("", a => a.EtaCutoff).Value is not null),
        ];
        return arguments.Where(argument => argument.IsStated).Select(argument => argument.Name);
    }

    private (string Field, T? Value) Pick<T>(string name, Func<PipelineGenerationArguments, T?> of)
        where T : struct => of(_outer) is { } outer ? ($"parameters.{name}", outer) : ($"parameters.generate_parameters.{name}", of(_inner));

    private static (string Field, T? Value) Pick<T>(string name, T? outer, T? inner)
        where T : class => outer is not null ? ($"parameters.{name}", outer) : ($"parameters.generate_parameters.{name}", inner);

    private long? Long(string name, Func<PipelineGenerationArguments, long?> of) =>
        Pick(name, of) is var (field, value) ? GenerationRules.CheckWhole(field, value, 1, MaxTokens, $"1 to {MaxTokens}") : null;

    private int? Whole(string name, Func<PipelineGenerationArguments, int?> of, int min, int max = MaxTokens) =>
        Pick(name, of) is var (field, value) ? (int?)GenerationRules.CheckWhole(field, value, min, max, $"{min} to {max}") : null;

    private double? Number(string name, Func<PipelineGenerationArguments, double?> of, double min, double max) =>
        Pick(name, of) is var (field, value) ? GenerationRules.CheckNumber(field, value, min, max) : null;

    /// <summary>0 means the likeliest token alone.</summary>
    private double? Share(string name, Func<PipelineGenerationArguments, double?> of) =>
        Number(name, of, 0, 1) is { } share ? GenerationRules.NotNothing(share) : null;

    private int? Id(string name, Func<PipelineGenerationArguments, int?> of, int vocabulary) =>
        Pick(name, of) is var (field, value) && value is { } id ? GenerationRules.CheckIds(field, [id], vocabulary)[0] : null;

    private static IReadOnlyList<int>? Ids(string name, IReadOnlyList<int>? outer, IReadOnlyList<int>? inner, int vocabulary) =>
        (outer ?? inner) is { } ids ? GenerationRules.CheckIds($"parameters.{(outer is null ? "generate_parameters." : "")}{name}", ids, vocabulary) : null;

    private IReadOnlyList<int[]>? Words(int vocabulary) =>
        Pick("bad_words_ids", _outer.BadWordsIds, _inner.BadWordsIds) is var (field, words) && words is not null ? GenerationRules.CheckWords(field, words, vocabulary) : null;

    /// <summary>An id or a list of ids.</summary>
    private IReadOnlyList<int>? EndTokens(int vocabulary)
    {
        var (field, value) = Pick("eos_token_id", a => a.EosTokenId);
        return value switch
        {
            null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            { ValueKind: JsonValueKind.Number } one when one.TryGetInt32(out var id) => GenerationRules.CheckIds(field, [id], vocabulary),
            { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(IsWhole) => GenerationRules.CheckIds(field, [.. list.EnumerateArray().Select(e => e.GetInt32())], vocabulary),
            _ => throw LlmOsException.Invalid(field, $"'{field}' must be a token id or a list of them."),
        };
    }

    /// <summary><c>[[[5, 6], -2.5], ...]</c></summary>
    private IReadOnlyList<(int[] Tokens, float Bias)>? Biases(int vocabulary)
    {
        var (field, value) = Pick("sequence_bias", a => a.SequenceBias);
        if (value is null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined })
        {
            return null;
        }

        return value.Value.ValueKind == JsonValueKind.Array && value.Value.GetArrayLength() <= MaxPairs && value.Value.EnumerateArray().All(IsBias)
            ? [.. value.Value.EnumerateArray().Select(pair => (GenerationRules.CheckIds(field, [.. pair[0].EnumerateArray().Select(e => e.GetInt32())], vocabulary).ToArray(), pair[1].GetSingle()))]
            : throw LlmOsException.Invalid(field, $"'{field}' must be a list of at most {MaxPairs} pairs of a list of token ids and a number.");
    }

    private static bool IsBias(JsonElement pair) =>
        pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
        && pair[0].ValueKind == JsonValueKind.Array && pair[0].GetArrayLength() > 0 && pair[0].EnumerateArray().All(IsWhole)
        && pair[1].ValueKind == JsonValueKind.Number && float.IsFinite(pair[1].GetSingle());

    private static bool IsWhole(JsonElement element) => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out _);
}
