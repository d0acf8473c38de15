using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Evaluation;

/// <summary>Compares two evaluations of the same data row by row: what one model finds hard the other mostly does too, so pairs tell more.</summary>
internal static class EvaluationComparison
{
    public static EvaluationComparisonView Of(StoredEvaluation first, StoredEvaluation second)
    {
        if (first.Fingerprint != second.Fingerprint)
        {
            throw LlmOsException.Invalid(
                "second", $"'{first.Id}' and '{second.Id}' measured different data or used different settings; only evaluations with the same fingerprint can be compared.");
        }

        var (one, other) = (first.ReadRows(), second.ReadRows());
        if (first.Kind == EvaluationPlan.MultipleChoice)
        {
            var onlyFirst = one.Zip(other).Count(pair => pair.First.Sum > pair.Second.Sum);
            var onlySecond = one.Zip(other).Count(pair => pair.First.Sum < pair.Second.Sum);
            return View(first, second, one, other, "accuracy", Statistics.McNemarExact(onlyFirst, onlySecond), "mcnemar_exact");
        }

        // Models with other tokenizers cut the text elsewhere: then rows do not belong together.
        if (!one.Select(r => r.Weight).SequenceEqual(other.Select(r => r.Weight)))
        {
            throw LlmOsException.Invalid("second", "The two models' tokenizers cut the text into other tokens, so their windows do not pair; compare the bits per byte of both instead.");
        }

        var differences = one.Zip(other, (a, b) => b.Sum - a.Sum).ToList();
        return View(first, second, one, other, "nll", Statistics.PermutationOfSigns(differences), "paired_permutation");
    }

    private static EvaluationComparisonView View(
        StoredEvaluation first, StoredEvaluation second, IReadOnlyList<ComparedRow> one, IReadOnlyList<ComparedRow> other, string measure, double p, string test)
    {
        var weight = one.Sum(r => r.Weight);
        var (a, b) = (one.Sum(r => r.Sum) / weight, other.Sum(r => r.Sum) / weight);
        var (low, high) = Statistics.BootstrapRatio([.. one.Zip(other, (x, y) => y.Sum - x.Sum)], [.. one.Select(r => r.Weight)]);
        return new EvaluationComparisonView(first.ToView(), second.ToView(), measure, one.Count, a, b, b - a, [low, high], p, test);
    }
}
