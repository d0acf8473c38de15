using System.Numerics.Tensors;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Tasks;

/// <summary>A text's place among those that were sent, and how near it is to the query: the cosine of their vectors.</summary>
internal sealed record RankedText(int Index, float Score);

/// <summary>
/// Texts by how near they are to a query, the nearest first: Hugging Face's task <c>text-ranking</c>, by an embedding model. Texts
/// that are too long are cut, as sentence-transformers does.
/// </summary>
internal static class TextRanking
{
    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (groups, isList) = PipelineInputs.Objects(
            request.Inputs,
            (item, field) => (
                Query: PipelineInputs.Text(item, field, "query"),
                Texts: item.TryGetProperty("texts", out var list) ? PipelineInputs.Texts(list).Texts : throw LlmOsException.Invalid(field, $"'{field}' lacks 'texts'.")),
            "an object with query and texts, or a list of them");

        var prompt = model.PromptOf(request.Parameters?.PromptName, "parameters.prompt_name");
        List<IReadOnlyList<RankedText>> answers = [];
        foreach (var (query, texts) in groups)
        {
            EncoderText[] inputs = [.. texts.Prepend(query).Select(text => EncoderInput.Encode(model, "inputs", model.Worded(prompt, text), null, TextCut.Right).Text)];
            var vectors = await model.EmbedAsync(inputs, prompt, cancel);
            answers.Add([.. texts.Select((_, i) => new RankedText(i, TensorPrimitives.CosineSimilarity<float>(vectors[0], vectors[i + 1]))).OrderByDescending(text => text.Score)]);
        }

        return isList ? answers : answers[0];
    }
}
