using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>The words that fit where a text has a mask, as transformers' pipeline gives them.</summary>
internal static class FillMask
{
    private const int DefaultTopK = 5;
    private const int MaxTargets = 4096;

    private static readonly string[] MaskWords = ["[MASK]", "<mask>"];

    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var tokenizer = model.TokenizerOf("inputs");
        var mask = MaskWords.Select(tokenizer.IdOf).FirstOrDefault(id => id is not null)
            ?? throw new LlmOsException(ErrorCode.UnsupportedTask, $"The tokenizer of {model.Facts.Reference} has no mask token.") { Field = "model" };
        var targets = Targets(tokenizer, parameters.Targets, model.Facts.Vocabulary);
        var all = targets?.Count ?? model.Facts.Vocabulary;
        var topK = Math.Min(all, (int)(GenerationRules.CheckWhole("parameters.top_k", parameters.TopK is PipelineParameters.All ? null : parameters.TopK, 1, int.MaxValue, "1 or more") ?? DefaultTopK));
        var cut = EncoderPipeline.CutOf(parameters);
        EncoderText[] inputs = [.. texts.Select((text, i) => Encode(model, isList ? $"inputs[{i}]" : "inputs", text, mask, cut))];

        var logits = await model.RunAsync(inputs, EncoderOutput.Logits, cancel);

        var answers = inputs.Select((input, i) => Fill(tokenizer, input, logits[i], targets, topK)).ToList();
        return isList ? answers : answers[0];
    }

    private static EncoderText Encode(EncoderModel model, string field, string text, int mask, TextCut cut)
    {
        var input = EncoderInput.Encode(model, field, text, null, cut, parseSpecialTokens: true).Text;
        int[] places = [.. Enumerable.Range(0, input.Ids.Length).Where(i => input.Ids[i] == mask)];
        return places.Length > 0
            ? input with { Places = places }
            : throw LlmOsException.Invalid(field, $"'{field}' holds no mask. Put {MaskWords[0]} (or {MaskWords[1]}, as the model spells it) where a word is wanted.");
    }

    /// <summary>For one mask its words; for several a list for each, with texts that keep the other masks.</summary>
    private static object Fill(IOffsetTokenizer tokenizer, EncoderText input, float[] logits, IReadOnlyList<int>? targets, int topK)
    {
        var vocabulary = logits.Length / input.Places!.Length;
        List<List<MaskFilling>> perMask = [];
        for (var at = 0; at < input.Places.Length; at++)
        {
            var shares = Scores.Softmax(logits.AsSpan(at * vocabulary, vocabulary));
            var ids = targets is null ? [.. Scores.Best(shares, topK)] : targets.OrderByDescending(id => shares[id]).Take(topK).ToList();
            perMask.Add(ids.ConvertAll(id =>
            {
                int[] filled = [.. input.Ids];
                filled[input.Places[at]] = id;
                return new MaskFilling(shares[id], id, tokenizer.Decode([id], skipSpecialTokens: false), tokenizer.Decode(filled, skipSpecialTokens: input.Places.Length == 1));
            }));
        }

        return perMask.Count == 1 ? perMask[0] : perMask;
    }

    /// <summary>Ids of the words asked for; of one that is not in the vocabulary the first piece.</summary>
    private static IReadOnlyList<int>? Targets(IOffsetTokenizer tokenizer, IReadOnlyList<string>? words, int vocabulary)
    {
        if (words is null)
        {
            return null;
        }

        const string Field = "parameters.targets";
        if (words.Count is 0 or > MaxTargets)
        {
            throw LlmOsException.Invalid(Field, $"'{Field}' must hold 1 to {MaxTargets} words.");
        }

        return [.. words.Select((word, i) => tokenizer.IdOf(word ?? "") ?? (tokenizer.Encode(word ?? "", addSpecialTokens: false, parseSpecialTokens: false) is [var first, ..] && first < vocabulary
            ? first
            : throw LlmOsException.Invalid($"{Field}[{i}]", $"'{Field}[{i}]' is no word of this model."))).Distinct()];
    }
}
