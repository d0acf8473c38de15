using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>Asks for an evaluation job. What is null takes the default that is stated.</summary>
public sealed record EvaluationRequest
{
    /// <summary><c>perplexity</c> of a text, or <c>multiple_choice</c> by log-likelihood.</summary>
    [StringLength(32)]
    public required string Kind { get; init; }

    /// <summary>The model: a name, <c>name:3</c>, <c>name@alias</c>.</summary>
    [StringLength(512, MinimumLength = 1)]
    public required string Model { get; init; }

    /// <summary>Perplexity: <c>file:/path.txt</c>, UTF-8, beneath one of <c>LLMOS_IMPORT_DIRS</c>; tokenised in one piece, without special tokens.</summary>
    [StringLength(4096)]
    public string? Text { get; init; }

    /// <summary>Perplexity: how the text's file is written: <c>utf-8</c> (default) or <c>windows-1252</c>. A byte order mark is read and is no text.</summary>
    public string? Encoding { get; init; }

    /// <summary>Perplexity: tokens that the model sees at once. Default: 1024, or the model's context where that is less.</summary>
    public int? Window { get; init; }

    /// <summary>Perplexity: tokens from the start of a window to that of the next; no token is scored twice. Default: the window.</summary>
    public int? Stride { get; init; }

    /// <summary>Perplexity: how much of the text is used. Default: 65536.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Perplexity: whether the begin token is put in front of each window, so that its first token is scored too. Needs windows
    /// that do not overlap. Default: false.
    /// </summary>
    public bool? Begin { get; init; }

    /// <summary>Multiple choice: the questions, at most 10,000.</summary>
    public IReadOnlyList<MultipleChoiceRow>? Rows { get; init; }
}

/// <summary>A question whose answers are scored as continuations of the context.</summary>
public sealed record MultipleChoiceRow
{
    /// <summary>What stands before each choice; may be empty.</summary>
    public required string Context { get; init; }

    /// <summary>Continuations, 2 to 64. A blank is put between context and choice where the choice does not begin with one.</summary>
    public required IReadOnlyList<string> Choices { get; init; }

    /// <summary>Index of the right choice, from 0.</summary>
    public required int Answer { get; init; }
}

/// <summary>A finished evaluation.</summary>
/// <param name="Id">The job's id.</param>
/// <param name="Model"><c>name:3</c></param>
/// <param name="Fingerprint">Equal for evaluations of the same data with the same settings: those can be compared.</param>
/// <param name="Metrics">What is also kept on the version.</param>
public sealed record EvaluationView(string Id, string Model, string Kind, string Fingerprint, JsonElement Metrics, DateTimeOffset CreatedAt);

/// <summary>Compares two evaluations of the same data.</summary>
public sealed record EvaluationComparisonRequest
{
    /// <summary>An evaluation's id, or a model: then the newest pair of evaluations with the same data and settings is taken.</summary>
    [StringLength(512, MinimumLength = 1)]
    public required string First { get; init; }

    /// <summary>The other one, as <see cref="First"/>.</summary>
    [StringLength(512, MinimumLength = 1)]
    public required string Second { get; init; }
}

/// <summary>How two evaluations differ, row by row of the same data.</summary>
/// <param name="Measure"><c>nll</c>: nats per token, less is better; <c>accuracy</c>: share, more is better.</param>
/// <param name="Rows">Windows or questions that were compared.</param>
/// <param name="FirstScore">The measure of the first.</param>
/// <param name="SecondScore">The measure of the second.</param>
/// <param name="Difference">Second minus first.</param>
/// <param name="Interval">95 % of the paired bootstrap of the difference.</param>
/// <param name="PValue">Two-sided; small: the difference is unlikely to be chance.</param>
/// <param name="Test"><c>paired_permutation</c> of signs, or <c>mcnemar_exact</c>.</param>
public sealed record EvaluationComparisonView(
    EvaluationView First,
    EvaluationView Second,
    string Measure,
    int Rows,
    double FirstScore,
    double SecondScore,
    double Difference,
    IReadOnlyList<double> Interval,
    double PValue,
    string Test);
