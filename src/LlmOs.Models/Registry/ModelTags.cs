using System.Text.RegularExpressions;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Registry;

/// <summary>Pairs of texts on models and versions, to find them by.</summary>
internal static partial class ModelTags
{
    /// <summary>Tags of one model or version.</summary>
    public const int MaxTags = 50;

    /// <exception cref="LlmOsException">400: a key or value is none.</exception>
    public static void Check<T>(IReadOnlyDictionary<string, T>? tags, string field)
    {
        foreach (var (key, value) in tags ?? new Dictionary<string, T>())
        {
            if (!Key().IsMatch(key))
            {
                throw LlmOsException.Invalid(field, $"{field}: '{ModelName.Shorten(key)}' is not a tag's key. Expected lower-case letters, digits, '.', '_' and '-', at most 64, the first a letter or digit.");
            }

            if (value is string { Length: > 256 })
            {
                throw LlmOsException.Invalid(field, $"{field}: the value of '{key}' has more than 256 characters.");
            }
        }

        if (tags?.Count > MaxTags)
        {
            throw LlmOsException.Invalid(field, $"{field}: at most {MaxTags} tags are kept.");
        }
    }

    /// <summary>Merges changes into tags: a text sets, null takes away.</summary>
    public static void Merge<TTag>(List<TTag> tags, IReadOnlyDictionary<string, string?> changes, Func<TTag, string> keyOf, Action<TTag, string> set, Func<string, string, TTag> make)
    {
        Check(changes, "tags");
        foreach (var (key, value) in changes)
        {
            var tag = tags.Find(t => keyOf(t) == key);
            if (value is null)
            {
                if (tag is not null)
                {
                    tags.Remove(tag);
                }
            }
            else if (tag is null)
            {
                tags.Add(make(key, value));
            }
            else
            {
                set(tag, value);
            }
        }

        if (tags.Count > MaxTags)
        {
            throw LlmOsException.Invalid("tags", $"tags: at most {MaxTags} tags are kept; there would be {tags.Count}.");
        }
    }

    /// <summary>A filter: <c>team</c> finds what has the key, <c>team:search</c> what has the pair.</summary>
    public static (string Key, string? Value) Read(string filter) =>
        filter.IndexOf(':', StringComparison.Ordinal) is > 0 and var at ? (filter[..at], filter[(at + 1)..]) : (filter, null);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}
