using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>Puts what a job says, a code with named arguments, into words: a sentence with places such as <c>{file}</c>.</summary>
public static class JobPhrase
{
    /// <summary>The form of a place that shows a number of bytes: <c>{done:bytes}</c>.</summary>
    public const string Bytes = "bytes";

    /// <param name="sentence">Places are <c>{name}</c>, <c>{name:bytes}</c> or <c>{name:0.000}</c>, a .NET format of numbers.</param>
    /// <param name="arguments">An object of texts and numbers; a name that it lacks shows as <c>?</c>.</param>
    /// <param name="culture">How numbers with a form are written; others are written as in JSON.</param>
    /// <param name="size">How bytes are written; null: as <see cref="Size"/> does.</param>
    public static string Fill(string sentence, JsonElement? arguments, CultureInfo culture, Func<long, string>? size = null)
    {
        var text = new StringBuilder();
        var at = 0;
        while (sentence.IndexOf('{', at) is >= 0 and var open)
        {
            var close = sentence.IndexOf('}', open);
            text.Append(sentence, at, open - at);
            var (name, form) = sentence[(open + 1)..close].Split(':', 2) is [var left, var right] ? (left, right) : (sentence[(open + 1)..close], null);
            text.Append(Show(arguments, name, form, culture, size));
            at = close + 1;
        }

        return text.Append(sentence, at, sentence.Length - at).ToString();
    }

    /// <summary>The names of a sentence's places.</summary>
    public static IReadOnlyList<string> Places(string sentence) =>
        [.. sentence.Split('{').Skip(1).Select(part => part[..part.IndexOf('}')].Split(':')[0]).Distinct(StringComparer.Ordinal)];

    /// <summary>A number of bytes in the unit that fits.</summary>
    public static string Size(long bytes, CultureInfo culture) => bytes switch
    {
        < 1_000_000 => $"{bytes.ToString(culture)} bytes",
        < 1_000_000_000 => $"{(bytes / 1e6).ToString("0.#", culture)} MB",
        _ => $"{(bytes / 1e9).ToString("0.##", culture)} GB",
    };

    private static string Show(JsonElement? arguments, string name, string? form, CultureInfo culture, Func<long, string>? size) =>
        arguments is not { ValueKind: JsonValueKind.Object } named || !named.TryGetProperty(name, out var value) ? "?"
        : value.ValueKind != JsonValueKind.Number || form is null ? value.ToString()
        : form == Bytes ? size?.Invoke(value.GetInt64()) ?? Size(value.GetInt64(), culture)
        : value.GetDouble().ToString(form, culture);
}
