using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>Labels that the request brings: an entailment model judges for each whether the text says it (arXiv 1909.00161).</summary>
internal static class ZeroShot
{
    private const string DefaultTemplate = "This example is {}.";
    private const int MaxLabels = 1024;
    private const string TemplateField = "parameters.hypothesis_template";

    /// <summary>Python's <c>format</c>, which templates of models have too.</summary>
    private static readonly ChatTemplate Format = ChatTemplate.Parse("{{ template.format(label) }}");

    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var candidates = Candidates(parameters.CandidateLabels);
        var template = parameters.HypothesisTemplate ?? DefaultTemplate;
        var hypotheses = candidates.Select(label => Hypothesis(template, label, cancel)).ToList();
        if (hypotheses[0] == template)
        {
            throw LlmOsException.Invalid(TemplateField, $"'{TemplateField}' must hold {{}} where the label goes.");
        }

        // The premise is what is cut: without its hypothesis a pair says nothing.
        EncoderText[] pairs = [.. texts.SelectMany((text, i) => hypotheses.Select(h => EncoderInput.Encode(model, isList ? $"inputs[{i}]" : "inputs", text, h, new TextCut(Truncation.Right, CutText.OnlyFirst)).Text))];

        var logits = await model.RunAsync(pairs, EncoderOutput.Logits, cancel);

        var answers = texts.Select((text, i) => Rank(text, candidates, logits.AsSpan(i * candidates.Count, candidates.Count).ToArray(), model.Facts.Labels.Names, parameters.MultiLabel ?? false)).ToList();
        return isList ? answers : answers[0];
    }

    private static string Hypothesis(string template, string label, CancellationToken cancel)
    {
        var values = new Dictionary<string, TemplateValue> { ["template"] = ValueOf(template), ["label"] = ValueOf(label) };
        try
        {
            return Format.Render(values, TemplateLimits.Default, default, TimeProvider.System, cancel).Text;
        }
        catch (TemplateException fault)
        {
            throw LlmOsException.Invalid(TemplateField, $"'{TemplateField}' cannot be filled with a label: {fault.Message}");
        }

        static TemplateValue ValueOf(string text) => TemplateValue.FromJson(JsonSerializer.SerializeToElement(text), fromUser: true);
    }

    private static ZeroShotAnswer Rank(string text, IReadOnlyList<string> candidates, float[][] logits, IReadOnlyList<string> names, bool multiLabel)
    {
        var found = names.ToList().FindIndex(n => n.StartsWith("entail", StringComparison.OrdinalIgnoreCase));
        var entailment = found < 0 ? names.Count - 1 : found;
        var contradiction = entailment == 0 ? names.Count - 1 : 0;
        var scores = multiLabel || candidates.Count == 1
            ? [.. logits.Select(row => Scores.Softmax([row[contradiction], row[entailment]])[1])]
            : Scores.Softmax([.. logits.Select(row => row[entailment])]);
        var order = Scores.Best(scores, scores.Length).ToList();
        return new ZeroShotAnswer(text, [.. order.Select(i => candidates[i])], [.. order.Select(i => scores[i])]);
    }

    /// <summary>A list of labels, or one text with commas.</summary>
    private static IReadOnlyList<string> Candidates(JsonElement? stated)
    {
        const string Field = "parameters.candidate_labels";
        IReadOnlyList<string> labels = stated switch
        {
            { ValueKind: JsonValueKind.String } text => [.. PipelineInputs.Text(text, Field).Split(',').Select(l => l.Trim()).Where(l => l.Length > 0)],
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Take(MaxLabels + 1).Select((l, i) => PipelineInputs.Text(l, $"{Field}[{i}]"))],
            _ => [],
        };
        return labels.Count is > 0 and <= MaxLabels ? labels : throw LlmOsException.Invalid(Field, $"'{Field}' must name 1 to {MaxLabels} labels, as a list or as a text with commas.");
    }
}
