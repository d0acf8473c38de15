using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Generation;

namespace LlmOs.Tools.Evaluation;

/// <summary>A question's choices: sum of the log-probabilities of each one's tokens, and whether greedy decoding would write it.</summary>
internal sealed record ChoiceScore(IReadOnlyList<double> Loglikelihoods, IReadOnlyList<bool> Greedy);

/// <summary>
/// Multiple choice by log-likelihood: each choice is scored as a continuation of its context, and the likeliest one is the
/// answer; once as it is, once divided by the choice's length in characters. The conventions are those of lm-evaluation-harness.
/// </summary>
internal static class ChoiceMeasure
{
    public static async Task<EvaluationOutcome> RunAsync(ChoicePlan plan, IScoringRun model, string folder, Action<double, JobMessage> report, CancellationToken cancel)
    {
        var fingerprint = plan.Fingerprint();
        using var rows = RowFile<ChoiceScore>.Open(Path.Combine(folder, "rows.jsonl"), $"{model.Reference} {fingerprint}");
        while (rows.Rows.Count < plan.Rows.Count)
        {
            var next = rows.Rows.Count;
            report((double)next / plan.Rows.Count, EvaluationCodes.Row.With(("row", next + 1), ("rows", plan.Rows.Count)));
            rows.Add(await ScoreAsync(plan.Rows[next], next, model, cancel));
        }

        return Conclude(plan, rows.Rows, fingerprint, model.Reference);
    }

    /// <summary>
    /// Ids of a continuation and of what stands before it. Blanks at the end of the context belong to the continuation, and both
    /// are tokenised together: the border may lie within what would be one token. Without a context the begin token stands there.
    /// </summary>
    /// <returns>All ids, and how many of them are context.</returns>
    public static (int[] Ids, int Context) Encode(string context, string choice, IScoringRun model)
    {
        if (context.Length == 0)
        {
            return model.BeginToken is { } begin
                ? ([begin, .. model.Encode(choice)], 1)
                : throw LlmOsException.Invalid("rows", $"A 'context' is empty, and the model {model.Reference} has no begin token to stand in for it.");
        }

        var continuation = char.IsWhiteSpace(choice[0]) ? choice : " " + choice;
        var before = context.TrimEnd();
        continuation = context[before.Length..] + continuation;
        if (before.Length == 0)
        {
            return Encode("", continuation, model);
        }

        var whole = model.Encode(before + continuation);
        var length = Math.Min(model.Encode(before).Length, whole.Length - 1); // at least one token is left to score
        return (whole, length);
    }

    private static async Task<ChoiceScore> ScoreAsync(MultipleChoiceRow row, int index, IScoringRun model, CancellationToken cancel)
    {
        var (sums, greedy) = (new List<double>(), new List<bool>());
        foreach (var choice in row.Choices)
        {
            var (ids, context) = Encode(row.Context, choice, model);
            if (ids.Length - context > model.ContextLength - 1)
            {
                throw LlmOsException.Invalid($"rows[{index}].choices", $"Row {index + 1}: a choice has {ids.Length - context} tokens; the model sees {model.ContextLength} at once.");
            }

            // A context that is too long is cut at its beginning, as in the harness.
            var cut = Math.Max(0, ids.Length - model.ContextLength);
            var scores = await model.ScoreAsync(ids[cut..], context - cut, cancel);
            sums.Add(scores.Sum(s => s.Logprob));
            greedy.Add(scores.All(s => s.IsLikeliest));
        }

        return new ChoiceScore(sums, greedy);
    }

    private static EvaluationOutcome Conclude(ChoicePlan plan, IReadOnlyList<ChoiceScore> scores, string fingerprint, string reference)
    {
        var rows = plan.Rows.Zip(scores, (row, score) => (
            score,
            IsRight: Best(score.Loglikelihoods) == row.Answer,
            IsRightNormalised: Best([.. score.Loglikelihoods.Zip(row.Choices, (sum, choice) => sum / Length(choice))]) == row.Answer)).ToList();
        var (right, normalised) = (rows.Count(r => r.IsRight), rows.Count(r => r.IsRightNormalised));
        var ones = Enumerable.Repeat(1.0, rows.Count).ToList();
        var (low, high) = Statistics.BootstrapRatio([.. rows.Select(r => r.IsRight ? 1.0 : 0)], ones);
        var (lowNormalised, highNormalised) = Statistics.BootstrapRatio([.. rows.Select(r => r.IsRightNormalised ? 1.0 : 0)], ones);
        var summary = new Dictionary<string, object>
        {
            ["kind"] = EvaluationPlan.MultipleChoice,
            ["accuracy"] = (double)right / rows.Count,
            ["accuracy_normalised"] = (double)normalised / rows.Count,
            ["interval"] = new[] { low, high },
            ["interval_normalised"] = new[] { lowNormalised, highNormalised },
            ["questions"] = rows.Count,
            ["settings"] = new { Reference = reference, Fingerprint = fingerprint },
        };
        var metrics = JsonSerializer.SerializeToElement(summary, LlmOsJson.Options);
        summary["rows"] = rows.Select(r => new { r.score.Loglikelihoods, r.score.Greedy, Correct = r.IsRight, CorrectNormalised = r.IsRightNormalised });
        return new EvaluationOutcome(
            EvaluationPlan.MultipleChoice,
            fingerprint,
            metrics,
            JsonSerializer.SerializeToElement(summary, LlmOsJson.Options),
            [.. rows.Select(r => new ComparedRow(r.IsRight ? 1 : 0, 1))]);
    }

    /// <summary>The first of the highest.</summary>
    private static int Best(IReadOnlyList<double> values)
    {
        var best = 0;
        for (var i = 1; i < values.Count; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }

    /// <summary>Unicode characters, not UTF-16 units.</summary>
    private static int Length(string choice) => Math.Max(1, choice.EnumerateRunes().Count());
}
