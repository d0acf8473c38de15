namespace LlmOs.Contracts;

/// <summary>The languages that the platform's pages are written in.</summary>
public static class PageLanguages
{
    /// <summary>What is spoken where nothing is said.</summary>
    public const string Default = "en";

    /// <summary>Simplified Chinese.</summary>
    public const string Chinese = "zh-Hans";

    /// <summary>The cookie that keeps a person's choice.</summary>
    public const string Cookie = "llmos_language";

    /// <summary>Each named in itself, by its tag.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string> { [Default] = "English", [Chinese] = "简体中文" };

    /// <summary>What a page is to be written in.</summary>
    /// <param name="chosen">The value of <see cref="Cookie"/>.</param>
    /// <param name="acceptLanguage">A browser's <c>Accept-Language</c>; the first language named that there is wins.</param>
    public static string Of(string? chosen, string? acceptLanguage)
    {
        if (chosen is not null && All.ContainsKey(chosen))
        {
            return chosen;
        }

        foreach (var part in (acceptLanguage ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            var tag = part.Split(';')[0];
            if (tag.StartsWith("zh", StringComparison.OrdinalIgnoreCase))
            {
                return Chinese;
            }

            if (tag.StartsWith("en", StringComparison.OrdinalIgnoreCase))
            {
                return Default;
            }
        }

        return Default;
    }
}
