using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Evaluation;

/// <summary>An evaluation request with every default filled in and every number checked.</summary>
internal abstract record EvaluationPlan(string Kind)
{
    public const string Perplexity = "perplexity";
    public const string MultipleChoice = "multiple_choice";

    private const int MaxWindow = 1 << 17;
    private const int MaxTokens = 10_000_000;
    private const int MaxRows = 10_000;
    private const int MaxContextCharacters = 200_000;
    private const int MaxChoiceCharacters = 20_000;
    private const int UsualWindow = 1024;
    private const int UsualTokens = 65_536;

    /// <summary>Turns a request into a plan, or refuses it with the field that is at fault.</summary>
    public static EvaluationPlan Of(EvaluationRequest request)
    {
        switch (request.Kind)
        {
            case Perplexity:
                Check(request.Rows is null, "rows", "'rows' belong to the kind 'multiple_choice'.");
                return PerplexityOf(request);
            case MultipleChoice:
                foreach (var (field, isGiven) in new[] { ("text", request.Text is not null), ("window", request.Window is not null), ("stride", request.Stride is not null), ("max_tokens", request.MaxTokens is not null), ("begin", request.Begin is not null), ("encoding", request.Encoding is not null) })
                {
                    Check(!isGiven, field, $"'{field}' belongs to the kind 'perplexity'.");
                }

                return new ChoicePlan(Rows(request.Rows));
            default:
                throw LlmOsException.Invalid("kind", $"'kind' must be '{Perplexity}' or '{MultipleChoice}'.");
        }
    }

    private static PerplexityPlan PerplexityOf(EvaluationRequest request)
    {
        Check(request.Text is not null, "text", "Give 'text': a file of UTF-8 text, as \"file:/path.txt\".");
        var window = request.Window is { } asked ? Within("window", asked, 2, MaxWindow) : (int?)null;
        var stride = request.Stride is { } step ? Within("stride", step, 1, window ?? MaxWindow) : (int?)null;
        var begin = request.Begin ?? false;
        TextFile.CheckEncoding(request.Encoding);
        Check(!begin || stride is null || stride == (window ?? UsualWindow), "begin", "With 'begin' each window stands alone: leave 'stride' away, or give it the window's size.");
        return new PerplexityPlan(request.Text!, window, stride, Within("max_tokens", request.MaxTokens ?? UsualTokens, 2, MaxTokens), begin, request.Encoding);
    }

    /// <summary>The window where none was asked for.</summary>
    public static int DefaultWindow(int contextLength, bool begin) => Math.Min(UsualWindow, begin ? contextLength - 1 : contextLength);

    private static IReadOnlyList<MultipleChoiceRow> Rows(IReadOnlyList<MultipleChoiceRow>? rows)
    {
        var given = rows is { Count: >= 1 and <= MaxRows }
            ? rows
            : throw LlmOsException.Invalid("rows", $"Give 'rows': 1 to {MaxRows} objects with 'context', 'choices' and 'answer'.");
        for (var i = 0; i < given.Count; i++)
        {
            var (row, at) = (given[i], $"rows[{i}]");
            Check(row is not null, at, $"Row {i + 1} is null.");
            Check(row!.Context is { Length: <= MaxContextCharacters }, $"{at}.context", $"Row {i + 1}: 'context' is a text of at most {MaxContextCharacters} characters.");
            Check(row.Choices is { Count: >= 2 and <= 64 }, $"{at}.choices", $"Row {i + 1}: 'choices' holds 2 to 64 texts.");
            Check(row.Choices!.All(c => c is { Length: >= 1 and <= MaxChoiceCharacters }), $"{at}.choices", $"Row {i + 1}: a choice has 1 to {MaxChoiceCharacters} characters.");
            Check(row.Answer >= 0 && row.Answer < row.Choices!.Count, $"{at}.answer", $"Row {i + 1}: 'answer' is the index of a choice, 0 to {row.Choices!.Count - 1}, not {row.Answer}.");
        }

        return given;
    }

    /// <summary>Equal for the same data and settings, whatever the model.</summary>
    protected static string FingerprintOf(object settings) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(settings, LlmOsJson.Options)));

    private static T Within<T>(string field, T value, T min, T max)
        where T : INumber<T>
    {
        Check(value >= min && value <= max, field, FormattableString.Invariant($"'{field}' must be between {min} and {max}, not {value}."));
        return value;
    }

    private static void Check(bool holds, string field, string message)
    {
        if (!holds)
        {
            throw LlmOsException.Invalid(field, message);
        }
    }
}

/// <summary>How likely a text is, token by token.</summary>
/// <param name="Window">Null: as many tokens as is usual and the model can see.</param>
/// <param name="Stride">Null: the window.</param>
/// <param name="Encoding">Of the text's file; null: UTF-8.</param>
internal sealed record PerplexityPlan(string Text, int? Window, int? Stride, int MaxTokens, bool Begin, string? Encoding = null) : EvaluationPlan(Perplexity)
{
    public string Fingerprint(string textSha256, int window, int stride) => FingerprintOf(new { Kind, textSha256, window, stride, MaxTokens, Begin });
}

/// <summary>Which continuation of a context is likeliest.</summary>
internal sealed record ChoicePlan(IReadOnlyList<MultipleChoiceRow> Rows) : EvaluationPlan(MultipleChoice)
{
    public string Fingerprint() => FingerprintOf(new { Kind, Rows });
}
