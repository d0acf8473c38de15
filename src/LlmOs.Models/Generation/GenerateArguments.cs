using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Formats;

namespace LlmOs.Models.Generation;

/// <summary>
/// The arguments of transformers' <c>generate</c>, as a <c>generation_config.json</c>, a task's section of config.json or a
/// request states them. What is null was not stated.
/// </summary>
public sealed record GenerateArguments
{
    /// <summary>Maximum new tokens where nothing is stated.</summary>
    private const int DefaultNewTokens = 256;

    /// <summary>Bounds of what must be above 0 or below 1.</summary>
    private const double SmallestPenalty = 1e-6, SmallestShare = 1e-6, LargestCutoff = 0.999999;

    public int? MaxNewTokens { get; init; }

    /// <summary>Maximum tokens, the prompt or the decoder's start among them.</summary>
    public int? MaxLength { get; init; }

    public int? MinNewTokens { get; init; }

    /// <summary>Fewest tokens, the prompt or the decoder's start among them.</summary>
    public int? MinLength { get; init; }

    public int? NumBeams { get; init; }

    public int? NumReturnSequences { get; init; }

    public double? LengthPenalty { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    public int? NoRepeatNgramSize { get; init; }

    public int? EncoderNoRepeatNgramSize { get; init; }

    public double? RepetitionPenalty { get; init; }

    public IReadOnlyList<int[]>? BadWordsIds { get; init; }

    public IReadOnlyList<(int[] Tokens, float Bias)>? SequenceBias { get; init; }

    public IReadOnlyList<int>? SuppressTokens { get; init; }

    public IReadOnlyList<int>? BeginSuppressTokens { get; init; }

    public int? ForcedBosTokenId { get; init; }

    public int? ForcedEosTokenId { get; init; }

    public int? DecoderStartTokenId { get; init; }

    public IReadOnlyList<int>? EosTokenId { get; init; }

    public bool? RenormalizeLogits { get; init; }

    public bool? DoSample { get; init; }

    public double? Temperature { get; init; }

    public int? TopK { get; init; }

    public double? TopP { get; init; }

    public double? MinP { get; init; }

    public double? TypicalP { get; init; }

    public double? EpsilonCutoff { get; init; }

    public double? EtaCutoff { get; init; }

    /// <exception cref="ModelFormatException">A value is of the wrong kind, or outside what can be.</exception>
    public static GenerateArguments Read(ConfigJson json) => new()
    {
        MaxNewTokens = json.Whole("max_new_tokens", 1, int.MaxValue),
        MaxLength = json.Whole("max_length", 1, int.MaxValue),
        MinNewTokens = json.Whole("min_new_tokens", 0, int.MaxValue),
        MinLength = json.Whole("min_length", 0, int.MaxValue),
        NumBeams = json.Whole("num_beams", 1, 1024),
        NumReturnSequences = json.Whole("num_return_sequences", 1, 1024),
        LengthPenalty = json.Number("length_penalty"),
        EarlyStopping = ReadEarlyStopping(json),
        NoRepeatNgramSize = json.Whole("no_repeat_ngram_size", 0, int.MaxValue),
        EncoderNoRepeatNgramSize = json.Whole("encoder_no_repeat_ngram_size", 0, int.MaxValue),
        RepetitionPenalty = json.Number("repetition_penalty", SmallestPenalty),
        BadWordsIds = json.Has("bad_words_ids") ? json.IdLists("bad_words_ids") : null,
        SequenceBias = json.Has("sequence_bias") ? json.Biases("sequence_bias") : null,
        SuppressTokens = json.Has("suppress_tokens") ? json.Ids("suppress_tokens") : null,
        BeginSuppressTokens = json.Has("begin_suppress_tokens") ? json.Ids("begin_suppress_tokens") : null,
        ForcedBosTokenId = json.Whole("forced_bos_token_id", 0, int.MaxValue),
        ForcedEosTokenId = json.Ids("forced_eos_token_id") is [var end, ..] ? end : null,
        DecoderStartTokenId = json.Whole("decoder_start_token_id", 0, int.MaxValue),
        EosTokenId = json.Has("eos_token_id") ? json.Ids("eos_token_id") : null,
        RenormalizeLogits = json.Flag("renormalize_logits"),
        DoSample = json.Flag("do_sample"),
        Temperature = json.Number("temperature", 0),
        TopK = json.Whole("top_k", -1, int.MaxValue) is { } top ? Math.Max(top, 0) : null, // -1 is what other servers write for "all"
        TopP = json.Number("top_p", 0, 1),
        MinP = json.Number("min_p", 0, 1),
        TypicalP = json.Number("typical_p", SmallestShare, 1),
        EpsilonCutoff = json.Number("epsilon_cutoff", 0, LargestCutoff),
        EtaCutoff = json.Number("eta_cutoff", 0, LargestCutoff),
    };

    /// <summary>These, with what the others state in their place.</summary>
    public GenerateArguments Overlay(GenerateArguments others) => new()
    {
        MaxNewTokens = others.MaxNewTokens ?? MaxNewTokens,
        MaxLength = others.MaxLength ?? MaxLength,
        MinNewTokens = others.MinNewTokens ?? MinNewTokens,
        MinLength = others.MinLength ?? MinLength,
        NumBeams = others.NumBeams ?? NumBeams,
        NumReturnSequences = others.NumReturnSequences ?? NumReturnSequences,
        LengthPenalty = others.LengthPenalty ?? LengthPenalty,
        EarlyStopping = others.EarlyStopping ?? EarlyStopping,
        NoRepeatNgramSize = others.NoRepeatNgramSize ?? NoRepeatNgramSize,
        EncoderNoRepeatNgramSize = others.EncoderNoRepeatNgramSize ?? EncoderNoRepeatNgramSize,
        RepetitionPenalty = others.RepetitionPenalty ?? RepetitionPenalty,
        BadWordsIds = others.BadWordsIds ?? BadWordsIds,
        SequenceBias = others.SequenceBias ?? SequenceBias,
        SuppressTokens = others.SuppressTokens ?? SuppressTokens,
        BeginSuppressTokens = others.BeginSuppressTokens ?? BeginSuppressTokens,
        ForcedBosTokenId = others.ForcedBosTokenId ?? ForcedBosTokenId,
        ForcedEosTokenId = others.ForcedEosTokenId ?? ForcedEosTokenId,
        DecoderStartTokenId = others.DecoderStartTokenId ?? DecoderStartTokenId,
        EosTokenId = others.EosTokenId ?? EosTokenId,
        RenormalizeLogits = others.RenormalizeLogits ?? RenormalizeLogits,
        DoSample = others.DoSample ?? DoSample,
        Temperature = others.Temperature ?? Temperature,
        TopK = others.TopK ?? TopK,
        TopP = others.TopP ?? TopP,
        MinP = others.MinP ?? MinP,
        TypicalP = others.TypicalP ?? TypicalP,
        EpsilonCutoff = others.EpsilonCutoff ?? EpsilonCutoff,
        EtaCutoff = others.EtaCutoff ?? EtaCutoff,
    };

    /// <summary>The rules that these arguments ask for.</summary>
    public TokenRules Rules() => new()
    {
        NoRepeatNgram = NoRepeatNgramSize ?? 0,
        SourceNoRepeatNgram = EncoderNoRepeatNgramSize ?? 0,
        BadWords = BadWordsIds ?? [],
        SequenceBias = SequenceBias ?? [],
        Suppressed = SuppressTokens ?? [],
        SuppressedAtBegin = BeginSuppressTokens ?? [],
        ForcedBegin = ForcedBosTokenId,
        ForcedEnd = ForcedEosTokenId,
        Renormalize = RenormalizeLogits ?? false,
    };

    /// <summary>The request that these arguments make of a prompt.</summary>
    /// <param name="prompt">For an encoder-decoder the decoder's first tokens.</param>
    /// <param name="source">What an encoder-decoder reads; empty for a decoder.</param>
    /// <param name="endTokens">What ends a text where these arguments do not say.</param>
    public GenerationRequest ToRequest(int[] prompt, int[] source, IReadOnlyList<int> endTokens) => new()
    {
        PromptTokens = prompt,
        SourceTokens = source,
        MaxTokens = MaxNewTokens ?? (MaxLength is { } length ? Math.Max(1, length - prompt.Length) : DefaultNewTokens),
        MinTokens = Math.Max(MinNewTokens ?? 0, (MinLength ?? 0) - prompt.Length),
        EndTokens = EosTokenId ?? endTokens,
        Rules = Rules(),
        Beams = NumBeams > 1 ? new BeamSettings(NumBeams.Value, LengthPenalty ?? 1, EarlyStopping ?? Engine.EarlyStopping.Heuristic) : null,
        Sampling = Sampling(),
    };

    private SamplingParameters Sampling()
    {
        var plain = new SamplingParameters { Temperature = 0, RepetitionPenalty = RepetitionPenalty ?? 1 };
        return DoSample != true ? plain : plain with
        {
            Temperature = Temperature ?? 1,
            TopK = TopK ?? 50, // transformers' own default
            TopP = TopP ?? 1,
            MinP = MinP ?? 0,
            TypicalP = TypicalP ?? 1,
            EpsilonCutoff = EpsilonCutoff ?? 0,
            EtaCutoff = EtaCutoff ?? 0,
        };
    }

    private static EarlyStopping? ReadEarlyStopping(ConfigJson json) => json.KindOf("early_stopping") switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when json.Text("early_stopping") == "never" => Engine.EarlyStopping.Never,
        _ => json.Flag("early_stopping") == true ? Engine.EarlyStopping.Always : Engine.EarlyStopping.Heuristic,
    };
}
