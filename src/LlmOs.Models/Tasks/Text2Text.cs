using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Tasks;

/// <summary>
/// Text in, text out by an encoder-decoder: <c>text2text-generation</c>, <c>summarization</c> and <c>translation</c>. The
/// model's generation_config.json holds, over it its configuration's section for the task, over both the request.
/// </summary>
internal static class Text2Text
{
    private const int MaxTokens = 1_000_000;

    public static bool IsTask(string task) =>
        task is "text2text-generation" or "summarization" or "translation" || task.StartsWith("translation_", StringComparison.Ordinal);

    public static async Task<object> RunAsync(LoadedModel model, string task, PipelineRequest request, CancellationToken cancel)
    {
        var setup = model.Seq2Seq ?? throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model {model.Reference} is no encoder-decoder; {task} needs one.") { Field = "model" };
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var settings = setup.Defaults;
        var prefix = "";
        if (setup.Tasks.TryGetValue(task, out var own))
        {
            (settings, prefix) = (settings.Overlay(own.Settings), own.Prefix);
        }

        settings = settings.Overlay(Stated(parameters));
        var tokenizer = model.Tokenizer ?? throw InferenceGate.NoTokenizer(model, "inputs");
        if (parameters.TgtLang is { } target)
        {
            settings = settings with { ForcedBosTokenId = tokenizer.IdOf(target) ?? throw LlmOsException.Invalid("parameters.tgt_lang", "'parameters.tgt_lang' is no language of this model.") };
        }

        var cut = EncoderPipeline.TruncationOf(parameters);
        List<int[]> sources = [.. texts.Select((text, i) => Encode(model, prefix + text, parameters.SrcLang, isList ? $"inputs[{i}]" : "inputs", cut))];
        var choices = settings.NumReturnSequences ?? 1;
        Require(choices == 1 || settings.DoSample == true || choices <= (settings.NumBeams ?? 1), "parameters.num_return_sequences", "must not be above num_beams");
        Require((settings.NumBeams ?? 1) <= model.Engine.Slots, "parameters.num_beams", $"must be 1 to {model.Engine.Slots}, the sequences that run together");

        int[] start = [settings.DecoderStartTokenId ?? setup.StartToken];
        var requests = sources.ConvertAll(source => settings.ToRequest(start, source, model.EndTokens));
        var runs = requests.ConvertAll(r => GenerateAsync(model, r with { Sampling = r.Sampling with { Seed = parameters.Seed } }, choices, cancel));
        var answers = await InferenceFaults.TranslateAsync(Task.WhenAll(runs));
        var shaped = answers.Select(a => a.Select(text => Shape(task, text)).ToList()).ToList();
        return !isList ? shaped[0] : choices == 1 ? shaped.ConvertAll(a => a[0]) : shaped;
    }

    private static async Task<IReadOnlyList<string>> GenerateAsync(LoadedModel model, GenerationRequest request, int choices, CancellationToken cancel)
    {
        if (request.Beams is not null)
        {
            var found = await model.Engine.BeamSearchAsync(request, cancel);
            return [.. found.Texts.Take(choices).Select(t => Decode(model, t.Pieces))];
        }

        List<string> texts = [];
        for (var i = 0; i < choices; i++)
        {
            List<GenerationPiece> pieces = [];
            var seed = request.Sampling.Seed is { } first ? unchecked(first + i) : (long?)null;
            await foreach (var piece in model.Engine.Submit(request with { Sampling = request.Sampling with { Seed = seed } }).Pieces(cancel))
            {
                pieces.Add(piece);
            }

            texts.Add(Decode(model, pieces));
        }

        return texts;
    }

    private static string Decode(LoadedModel model, IEnumerable<GenerationPiece> pieces) =>
        model.Tokenizer!.Decode(pieces.Select(p => p.Token).ToArray(), skipSpecialTokens: true);

    /// <summary>mBART's sources end in the end token and their language's code.</summary>
    private static int[] Encode(LoadedModel model, string text, string? language, string field, Truncation truncation)
    {
        var tokenizer = model.Tokenizer!;
        int[] ids = language is null
            ? tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: false)
            :
            [
                .. tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false),
                model.EndTokens is [var end, ..] ? end : 0,
                tokenizer.IdOf(language) ?? throw LlmOsException.Invalid("parameters.src_lang", "'parameters.src_lang' is no language of this model."),
            ];
        var most = model.Engine.Shape.Cross!.MaxSource;
        if (ids.Length == 0)
        {
            throw LlmOsException.Invalid(field, $"'{field}' holds no token. Send some text.");
        }

        if (ids.Length <= most)
        {
            return ids;
        }

        // What ends the text (an end token, a language's code) stays.
        var tail = language is null ? 1 : 2;
        return truncation switch
        {
            Truncation.Right => [.. ids[..(most - tail)], .. ids[^tail..]],
            Truncation.Left => ids[^most..],
            _ => throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {most} tokens; '{field}' has {ids.Length}.")
            {
                Field = field,
                Hint = "Shorten the text, or ask for a cut: \"truncation\": true in the parameters.",
            },
        };
    }

    private static object Shape(string task, string text) => task switch
    {
        "summarization" => new SummaryAnswer(text),
        "text2text-generation" => new TextAnswer(text),
        _ => new TranslationAnswer(text),
    };

    /// <summary>What the request states, checked.</summary>
    private static GenerateArguments Stated(PipelineParameters p)
    {
        int? Whole(string field, long? value, long least = 1) => (int?)GenerationRules.CheckWhole("parameters." + field, value, least, MaxTokens, $"{least} to {MaxTokens}");
        double? Number(string field, double? value, double least, double most) => GenerationRules.CheckNumber("parameters." + field, value, least, most);
        return new GenerateArguments
        {
            MaxNewTokens = Whole("max_new_tokens", p.MaxNewTokens),
            MaxLength = Whole("max_length", p.MaxLength),
            MinNewTokens = Whole("min_new_tokens", p.MinNewTokens, 0),
            MinLength = Whole("min_length", p.MinLength, 0),
            NumBeams = Whole("num_beams", p.NumBeams),
            NumReturnSequences = p.NumReturnSequences is null ? null : GenerationRules.CheckChoices("parameters.num_return_sequences", p.NumReturnSequences),
            LengthPenalty = Number("length_penalty", p.LengthPenalty, -100, 100),
            EarlyStopping = BeamFields.EarlyStoppingOf("parameters.early_stopping", p.EarlyStopping),
            NoRepeatNgramSize = Whole("no_repeat_ngram_size", p.NoRepeatNgramSize, 0),
            RepetitionPenalty = p.RepetitionPenalty is null ? null : GenerationRules.CheckPenalty("parameters.repetition_penalty", p.RepetitionPenalty),
            DoSample = p.DoSample,
            Temperature = Number("temperature", p.Temperature, 1e-6, 100),
            TopK = Whole("top_k", p.TopK is PipelineParameters.All ? null : p.TopK, 0),
            TopP = Number("top_p", p.TopP, 1e-9, 1),
            MinP = Number("min_p", p.MinP, 0, 1),
            TypicalP = Number("typical_p", p.TypicalP, 1e-9, 1),
        };
    }

    private static void Require(bool holds, string field, string what)
    {
        if (!holds)
        {
            throw LlmOsException.Invalid(field, $"'{field}' {what}.");
        }
    }
}
