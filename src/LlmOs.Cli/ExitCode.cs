namespace LlmOs.Cli;

/// <summary>What the command tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The server refused, or a job failed or was cancelled.</summary>
    public const int Refused = 1;

    /// <summary>Words or files on the command line that make no sense.</summary>
    public const int Usage = 2;

    /// <summary>No server answers.</summary>
    public const int Unreachable = 3;

    /// <summary>Ctrl-C, as shells count it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}

/// <summary>A mistake of the person at the keyboard, in a sentence that helps.</summary>
internal sealed class UsageException(string message) : Exception(message);
