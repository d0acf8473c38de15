using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>Labels of the words or names in a text, as transformers' pipeline gives them.</summary>
internal static class TokenClassification
{
    private static readonly string[] Strategies = ["none", "simple", "first", "average", "max"];

    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var strategy = parameters.AggregationStrategy ?? "none";
        if (!Strategies.Contains(strategy))
        {
            throw LlmOsException.Invalid("parameters.aggregation_strategy", $"'parameters.aggregation_strategy' must be one of {string.Join(", ", Strategies)}.");
        }

        // Windows are as long as the tokenizer cuts texts; a text that is read whole is as long as the model reads.
        var max = Window(model, parameters);
        var stride = (int?)GenerationRules.CheckWhole("parameters.stride", parameters.Stride, 0, max - 3, $"0 to {max - 3}");
        if (stride > 0 && strategy == "none")
        {
            throw LlmOsException.Invalid("parameters.stride", "'parameters.stride' needs an aggregation_strategy other than \"none\": overlapping windows are merged by words.");
        }

        var ignored = parameters.IgnoreLabels ?? ["O"];
        var tokenizer = model.TokenizerOf("inputs");
        List<object> answers = [];
        for (var i = 0; i < texts.Count; i++)
        {
            var field = isList ? $"inputs[{i}]" : "inputs";
            var windows = stride is { } overlap
                ? Windows(tokenizer.EncodeWithOffsets(texts[i], null, addSpecialTokens: true, parseSpecialTokens: false), max, overlap)
                : [EncoderInput.Encode(model, field, texts[i], null, EncoderPipeline.CutOf(parameters), max: max)];
            var logits = await model.RunAsync([.. windows.Select(w => w.Text)], EncoderOutput.Logits, cancel);
            var words = new WordLabels(tokenizer, model.Facts.Labels.Names, texts[i]);
            var found = windows.SelectMany((w, at) => words.Read(w.Spans, logits[at], strategy)).Where(e => !ignored.Contains(e.Label)).ToList();
            if (windows.Count > 1)
            {
                found = WordLabels.MergeOverlaps(found);
            }

            answers.Add(found.ConvertAll(e => e.ToContract(strategy == "none")));
        }

        return isList ? answers : answers[0];
    }

    private static int Window(EncoderModel model, PipelineParameters parameters) =>
        (int)(GenerationRules.CheckWhole("parameters.max_seq_len", parameters.MaxSeqLen, 4, model.Facts.MaxTokens, $"4 to {model.Facts.MaxTokens}") ?? (parameters.Stride > 0 ? Math.Min(model.Facts.MaxTokens, model.Facts.TokenizerLimit ?? int.MaxValue) : model.Facts.MaxTokens));

    /// <summary>A long text in windows that overlap by some tokens, each with the special tokens around it.</summary>
    private static List<EncoderInput> Windows(TokenSpan[] spans, int max, int overlap)
    {
        TokenSpan[] before = [.. spans.TakeWhile(s => s.Sequence < 0)];
        TokenSpan[] own = [.. spans.Where(s => s.Sequence == 0)];
        TokenSpan[] after = [.. spans.Skip(before.Length + own.Length)];
        var room = max - before.Length - after.Length;
        List<EncoderInput> windows = [];
        for (var start = 0; start == 0 || start + overlap < own.Length; start += room - overlap)
        {
            windows.Add(new EncoderInput([.. before, .. own.Skip(start).Take(room), .. after], Cut: 0));
            if (start + room >= own.Length)
            {
                break;
            }
        }

        return windows;
    }
}
