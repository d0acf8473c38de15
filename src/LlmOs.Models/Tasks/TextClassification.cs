using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Tasks;

/// <summary>Labels of texts, as transformers' pipeline gives them.</summary>
internal static class TextClassification
{
    /// <summary>Room for the special tokens of a pair and some text.</summary>
    private const int MinLength = 8;

    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Pairs(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var function = FunctionOf(parameters.FunctionToApply, model.Facts.Labels);
        var topK = parameters.TopK is null ? (int?)null : TopKOf(parameters.TopK.Value, model.Facts.Labels.Names.Count);
        var cut = EncoderPipeline.CutOf(parameters);
        var max = Math.Min(GenerationRules.CheckMaxTokens("parameters.max_length", parameters.MaxLength, MinLength) ?? int.MaxValue, model.Facts.MaxTokens);
        EncoderText[] inputs = [.. texts.Select((t, i) => EncoderInput.Encode(model, isList ? $"inputs[{i}]" : "inputs", t.Text, t.Pair, cut, max: max).Text)];

        var logits = await model.RunAsync(inputs, EncoderOutput.Logits, cancel);

        var answers = logits.Select(row => Rank(function(row), model.Facts.Labels.Names, topK ?? 1)).ToList();
        return (isList, topK) switch
        {
            (true, null) => answers.ConvertAll(a => a[0]),
            (true, _) => answers,
            _ => answers[0],
        };
    }

    /// <summary>How many labels are asked for; all where null was stated.</summary>
    private static int TopKOf(int stated, int all) => stated switch
    {
        PipelineParameters.All => all,
        >= 1 => Math.Min(stated, all),
        _ => throw LlmOsException.Invalid("parameters.top_k", $"'parameters.top_k' must be 1 or more, or null for all labels, not {stated}."),
    };

    /// <summary>The function that is asked for, in any case, else the model's own.</summary>
    private static Func<float[], float[]> FunctionOf(string? name, EncoderLabels labels) => (name?.ToLowerInvariant() ?? WordOf(labels.Function)) switch
    {
        "sigmoid" => row => Scores.Sigmoid(row),
        "softmax" => row => Scores.Softmax(row),
        "none" => row => row,
        _ => throw LlmOsException.Invalid("parameters.function_to_apply", "'parameters.function_to_apply' must be \"sigmoid\", \"softmax\" or \"none\"."),
    };

    private static string WordOf(ScoreFunction function) => function switch
    {
        ScoreFunction.Softmax => "softmax",
        ScoreFunction.Sigmoid => "sigmoid",
        ScoreFunction.None => "none",
    };

    private static List<LabelScore> Rank(float[] scores, IReadOnlyList<string> names, int count) =>
        [.. Scores.Best(scores, count).Select(i => new LabelScore(names[i], scores[i]))];
}
