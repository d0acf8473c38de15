using System.Numerics.Tensors;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Tasks;

/// <summary>States of a text's tokens, and how near texts are to each other.</summary>
internal static class FeatureExtraction
{
    private const string PromptField = "parameters.prompt_name";

    /// <summary>[1, tokens, hidden] for each text, special tokens among them; with <c>normalize</c> each state has length one.</summary>
    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var cut = EncoderPipeline.CutOf(request.Parameters);
        var prompt = model.PromptOf(request.Parameters?.PromptName, PromptField);
        EncoderText[] inputs = [.. texts.Select((t, i) => EncoderInput.Encode(model, isList ? $"inputs[{i}]" : "inputs", prompt + t, null, cut).Text)];

        var states = await model.RunAsync(inputs, EncoderOutput.States, cancel);

        var hidden = model.Facts.Hidden;
        List<float[][][]> answers = [.. states.Select(s => new[] { s.Chunk(hidden).ToArray() })];
        if (request.Parameters?.Normalize == true)
        {
            answers.ForEach(a => Array.ForEach(a[0], state => SentenceLayout.NormaliseInPlace(state)));
        }

        return isList ? answers : answers[0];
    }

    /// <summary>The cosine of a sentence's vector to each of the others'. Long ones are cut, as sentence-transformers does.</summary>
    public static async Task<object> RunSimilarityAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (groups, isList) = PipelineInputs.Objects(
            request.Inputs,
            (item, field) => (
                Source: PipelineInputs.Text(item, field, "source_sentence"),
                Sentences: item.TryGetProperty("sentences", out var list) ? PipelineInputs.Texts(list).Texts : throw Infrastructure.LlmOsException.Invalid(field, $"'{field}' lacks 'sentences'.")),
            "an object with source_sentence and sentences, or a list of them");

        var prompt = model.PromptOf(request.Parameters?.PromptName, PromptField);
        List<List<float>> answers = [];
        foreach (var (source, sentences) in groups)
        {
            var vectors = await EmbedAsync(model, prompt, [source, .. sentences], cancel);
            answers.Add([.. vectors.Skip(1).Select(v => TensorPrimitives.CosineSimilarity<float>(vectors[0], v))]);
        }

        return isList ? answers : answers[0];
    }

    private static async Task<float[][]> EmbedAsync(EncoderModel model, string prompt, IReadOnlyList<string> texts, CancellationToken cancel)
    {
        EncoderText[] inputs = [.. texts.Select(t => EncoderInput.Encode(model, "inputs", model.Worded(prompt, t), null, TextCut.Right).Text)];
        return await model.EmbedAsync(inputs, prompt, cancel);
    }
}
