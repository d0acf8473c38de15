using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Generation;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Evaluation;

/// <summary>A window's scored tokens: sum of their negative log-probabilities in nats, their number, their UTF-8 bytes.</summary>
internal sealed record WindowScore(double Nll, int Tokens, long Bytes);

/// <summary>Where a window lies and what of it is scored.</summary>
/// <param name="Start">First token.</param>
/// <param name="End">After the last token.</param>
/// <param name="From">First token that is scored.</param>
internal readonly record struct EvaluationWindow(int Start, int End, int From);

/// <summary>
/// Perplexity of a text: exp of the mean negative log-probability of its tokens, each given those before it in its window.
/// Windows start every <c>stride</c> tokens; each token is scored once, in the first window that holds it behind another.
/// </summary>
internal static class PerplexityMeasure
{
    private const long MaxTextBytes = 256L << 20;

    /// <summary>The windows of a text.</summary>
    /// <param name="begin">Whether a begin token stands in front of each, so that its first token is scored too.</param>
    public static IEnumerable<EvaluationWindow> Windows(int tokens, int window, int stride, bool begin)
    {
        var scored = begin ? 0 : 1; // the very first token has nothing before it
        for (var start = 0; start < tokens; start += stride)
        {
            var end = Math.Min(start + window, tokens);
            // Where windows do not overlap, the first token of each is context only.
            var from = Math.Max(scored, begin ? start : start + 1);
            if (from < end)
            {
                yield return new EvaluationWindow(start, end, from);
            }

            scored = end;
            if (end == tokens)
            {
                yield break;
            }
        }
    }

    public static async Task<EvaluationOutcome> RunAsync(PerplexityPlan plan, string path, IScoringRun model, string folder, Action<double, JobMessage> report, CancellationToken cancel)
    {
        var (ids, sha256) = await ReadAsync(path, plan, model, cancel);
        var window = plan.Window ?? EvaluationPlan.DefaultWindow(model.ContextLength, plan.Begin);
        var stride = plan.Stride ?? window;
        var max = plan.Begin ? model.ContextLength - 1 : model.ContextLength;
        if (window > max)
        {
            throw LlmOsException.Invalid("window", $"The model sees {model.ContextLength} tokens at once{(plan.Begin ? ", the begin token included" : "")}; a window has at most {max}, not {window}.");
        }

        if (stride > window)
        {
            throw LlmOsException.Invalid("stride", $"'stride' must be between 1 and the window, {window}, not {stride}.");
        }

        if (plan.Begin && model.BeginToken is null)
        {
            throw LlmOsException.Invalid("begin", $"The model {model.Reference} has no begin token.");
        }

        var fingerprint = plan.Fingerprint(sha256, window, stride);
        var windows = Windows(ids.Length, window, stride, plan.Begin).ToList();
        if (windows.Count == 0)
        {
            throw LlmOsException.Invalid("text", $"The text has {ids.Length} tokens; at least 2 are needed.");
        }

        using var rows = RowFile<WindowScore>.Open(Path.Combine(folder, "windows.jsonl"), $"{model.Reference} {fingerprint}");
        while (rows.Rows.Count < windows.Count)
        {
            report((double)rows.Rows.Count / windows.Count, EvaluationCodes.Window.With(("window", rows.Rows.Count + 1), ("windows", windows.Count)));
            rows.Add(await ScoreAsync(windows[rows.Rows.Count], ids, plan.Begin ? model.BeginToken : null, model, cancel));
        }

        return Conclude(rows.Rows, fingerprint, new { model.Reference, sha256, window, stride, plan.MaxTokens, plan.Begin, Tokens = ids.Length });
    }

    private static async Task<WindowScore> ScoreAsync(EvaluationWindow window, int[] ids, int? begin, IScoringRun model, CancellationToken cancel)
    {
        int[] input = begin is { } first ? [first, .. ids[window.Start..window.End]] : ids[window.Start..window.End];
        var scores = await model.ScoreAsync(input, window.From - window.Start + (begin is null ? 0 : 1), cancel);
        return new WindowScore(-scores.Sum(s => s.Logprob), scores.Length, model.BytesOf(ids.Skip(window.From).Take(scores.Length)));
    }

    private static EvaluationOutcome Conclude(IReadOnlyList<WindowScore> rows, string fingerprint, object settings)
    {
        var (nll, tokens, bytes) = (rows.Sum(r => r.Nll), rows.Sum(r => (long)r.Tokens), rows.Sum(r => r.Bytes));
        var (low, high) = Statistics.BootstrapRatio([.. rows.Select(r => r.Nll)], [.. rows.Select(r => (double)r.Tokens)]);
        var result = JsonSerializer.SerializeToElement(
            new
            {
                Kind = EvaluationPlan.Perplexity,
                NllSum = nll,
                ScoredTokens = tokens,
                ScoredBytes = bytes,
                Perplexity = Math.Exp(nll / tokens),
                BitsPerByte = bytes == 0 ? (double?)null : nll / Math.Log(2) / bytes,
                Interval = new[] { Math.Exp(low), Math.Exp(high) },
                Windows = rows.Count,
                Settings = settings,
            },
            LlmOsJson.Options);
        return new EvaluationOutcome(EvaluationPlan.Perplexity, fingerprint, result, result, [.. rows.Select(r => new ComparedRow(r.Nll, r.Tokens))]);
    }

    private static async Task<(int[] Ids, string Sha256)> ReadAsync(string path, PerplexityPlan plan, IScoringRun model, CancellationToken cancel)
    {
        var bytes = new FileInfo(path).Length;
        if (bytes > MaxTextBytes)
        {
            throw LlmOsException.Invalid("text", $"The text has {bytes >> 20} MB; it is tokenised in one piece, so at most {MaxTextBytes >> 20} MB are read.");
        }

        string text;
        try
        {
            text = await TextFile.ReadAsync(path, plan.Encoding, cancel);
        }
        catch (InvalidDataException fault)
        {
            throw LlmOsException.Invalid("text", fault.Message);
        }

        var ids = model.Encode(text);
        // Of the text, not of the file: one with a mark, or in another encoding, is the same text.
        return (ids.Length <= plan.MaxTokens ? ids : ids[..plan.MaxTokens], Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}
