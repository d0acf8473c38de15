using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LlmOs.Models.Registry.Cards;

/// <summary>
/// The YAML block at the head of a model card, as far as a card needs it: keys with a text or a list of texts. What is
/// nested deeper is passed over. It is read event by event, so neither depth nor references can cost more than its length.
/// </summary>
internal sealed class FrontMatter
{
    /// <summary>Characters.</summary>
    public const int MaxCharacters = 64 << 10;

    private const string Fence = "---";

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    /// <summary>What stands under a key, as a list; empty when it is not there.</summary>
    public IReadOnlyList<string> this[string key] => _values.TryGetValue(key, out var values) ? values : [];

    /// <summary>Whether there is something under a key, however deep.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>Splits a card into its front matter, read, and the text after it.</summary>
    /// <returns>Why the front matter cannot be read; null when it can, or when there is none.</returns>
    public static (FrontMatter Front, string Body, string? Problem) Split(string markdown)
    {
        var text = markdown.Replace("\r\n", "\n", StringComparison.Ordinal).TrimStart('\uFEFF');
        var front = new FrontMatter();
        if (!text.StartsWith(Fence + "\n", StringComparison.Ordinal))
        {
            return (front, text, null);
        }

        var end = text.IndexOf("\n" + Fence, Fence.Length, StringComparison.Ordinal);
        var after = end < 0 ? -1 : end + 1 + Fence.Length;
        if (end < 0 || (after < text.Length && text[after] != '\n'))
        {
            return (front, text, "The front matter begins with '---' and has no line '---' that ends it.");
        }

        var yaml = end == Fence.Length ? "" : text[(Fence.Length + 1)..end];
        var body = after >= text.Length ? "" : text[(after + 1)..];
        return yaml.Length > MaxCharacters
            ? (front, body, $"The front matter has {yaml.Length} characters; at most {MaxCharacters} are read.")
            : (front, body, front.Read(yaml));
    }

    private string? Read(string yaml)
    {
        try
        {
            var parser = new Parser(new StringReader(yaml));
            var depth = 0; // of mappings and lists
            var isMapping = false;
            string? key = null;
            while (parser.MoveNext())
            {
                switch (parser.Current)
                {
                    case MappingStart or SequenceStart:
                        isMapping |= depth == 0 && parser.Current is MappingStart;
                        depth++;
                        if (depth == 1 && !isMapping)
                        {
                            return "The front matter is not a mapping of keys to values.";
                        }

                        break;
                    case MappingEnd or SequenceEnd:
                        depth--;
                        key = depth == 1 ? null : key;
                        break;
                    case Scalar scalar when depth == 0:
                        return scalar.Value.Length == 0 ? null : "The front matter is not a mapping of keys to values.";
                    case Scalar scalar when depth == 1 && key is null:
                        key = scalar.Value;
                        if (!_values.TryAdd(key, []))
                        {
                            return $"The front matter has the key '{ModelName.Shorten(key)}' twice.";
                        }

                        break;
                    case Scalar scalar when depth is 1 or 2 && key is not null:
                        Keep(key, scalar);
                        key = depth == 1 ? null : key;
                        break;
                    case AnchorAlias when depth == 1:
                        key = null;
                        break;
                }
            }

            return null;
        }
        catch (Exception fault) when (fault is YamlException or InvalidOperationException or ArgumentException)
        {
            return fault is YamlException { Start.Line: > 0 } at
                ? $"The front matter is not YAML (line {at.Start.Line + 1}, column {at.Start.Column})."
                : "The front matter is not YAML.";
        }
    }

    private void Keep(string key, Scalar scalar)
    {
        const int MaxValues = 200;
        if (scalar.Value.Length > 0 && !(scalar.Style == ScalarStyle.Plain && scalar.Value is "null" or "~") && _values[key].Count < MaxValues)
        {
            _values[key].Add(scalar.Value);
        }
    }
}
