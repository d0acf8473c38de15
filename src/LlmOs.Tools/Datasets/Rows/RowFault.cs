using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Refusals of a source's rows: each says which row it is about, counted from 1, and where it can which field.</summary>
internal static class RowFault
{
    /// <param name="row">Counted from 1; a CSV's header is none.</param>
    /// <param name="place">The file within an archive or a repository; null where there is one file.</param>
    public static LlmOsException Of(string? place, long row, string what, ErrorCode code = ErrorCode.CorruptFile, Exception? cause = null)
    {
        var message = $"{(place is null ? "" : $"{Shown.Of(place)}, ")}row {row}: {what}";
        return cause is null ? new LlmOsException(code, message) { Field = "source" } : new LlmOsException(code, message, cause) { Field = "source" };
    }

    /// <summary>A text that is stored nowhere: it holds U+0000, which databases and tools end texts at, or half a character.</summary>
    /// <returns>What is wrong with it; null where nothing is.</returns>
    public static string? FaultOf(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return "holds the character U+0000";
        }

        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]))
            {
                if (!char.IsHighSurrogate(text[at]) || at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1]))
                {
                    return "holds half of a surrogate pair";
                }

                at++;
            }
        }

        return null;
    }
}
