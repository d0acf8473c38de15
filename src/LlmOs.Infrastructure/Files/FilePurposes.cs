namespace LlmOs.Infrastructure.Files;

/// <summary>What files are given and made for, by OpenAI's words.</summary>
public static class FilePurposes
{
    public const string Batch = "batch";
    public const string BatchOutput = "batch_output";
    public const string FineTune = "fine-tune";
    public const string FineTuneResults = "fine-tune-results";
    public const string Evals = "evals";

    /// <summary>Requests in files of batches are worth nothing for long.</summary>
    private static readonly TimeSpan BatchDays = TimeSpan.FromDays(30);

    private static readonly string[] Given = ["assistants", Batch, FineTune, "vision", "user_data", Evals];

    /// <exception cref="LlmOsException">It is none that a client may give.</exception>
    public static string RequireGiven(string? purpose) =>
        purpose is { Length: > 0 } && Given.Contains(purpose)
            ? purpose
            : throw LlmOsException.Invalid("purpose", $"purpose: {(purpose is null or "" ? "is missing" : $"'{Shown.Of(purpose)}' is not known")}; expected one of {string.Join(", ", Given)}.");

    /// <summary>How long a file is kept when nobody says so; null: until it is deleted.</summary>
    public static TimeSpan? DefaultLife(string purpose) => purpose == Batch ? BatchDays : null;
}

/// <summary>How long a file lives, as its sender wants it.</summary>
public static class FileLife
{
    private const long MinSeconds = 3_600;
    private const long MaxSeconds = 2_592_000;

    /// <exception cref="LlmOsException">The anchor or the number is none that is taken.</exception>
    public static TimeSpan Require(string? anchor, long seconds)
    {
        if (anchor is not "created_at")
        {
            throw LlmOsException.Invalid("expires_after[anchor]", "expires_after[anchor]: expected created_at.");
        }

        return seconds is >= MinSeconds and <= MaxSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw LlmOsException.Invalid("expires_after[seconds]", $"expires_after[seconds]: expected {MinSeconds} (an hour) to {MaxSeconds} (30 days), not {seconds}.");
    }
}
