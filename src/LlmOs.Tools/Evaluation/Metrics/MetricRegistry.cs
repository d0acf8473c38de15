using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>The metrics that there are.</summary>
internal static class MetricRegistry
{
    public static IReadOnlyList<IMetric> All { get; } =
    [
        new ExactMatch(),
        new TokenF1(),
        new Accuracy(),
        new MacroF1(),
        new ErrorRate("wer", "words", EditDistance.Words),
        new ErrorRate("cer", "characters", EditDistance.Characters),
        new Bleu("bleu", sentences: false),
        new Bleu("sentence_bleu", sentences: true),
        new Gleu(),
        new Chrf("chrf", wordOrder: 0),
        new Chrf("chrf++", wordOrder: 2),
        new Ter(),
        new Rouge("rouge1", RougeKinds.Grams(1)),
        new Rouge("rouge2", RougeKinds.Grams(2)),
        new Rouge("rougeL", RougeKinds.Longest),
        new Rouge("rougeLsum", RougeKinds.LongestOfLines),
    ];

    public static IMetric Find(string name) => All.FirstOrDefault(metric => metric.Name == name)
        ?? throw new LlmOsException(ErrorCode.NotFound, $"There is no metric '{(name.Length <= 64 ? name : name[..64] + "...")}'. There are: {string.Join(", ", All.Select(metric => metric.Name))}.");
}
