using System.Text.Json;
using System.Text.Json.Nodes;

namespace LlmOs.Formats;

/// <summary>
/// JSON as the tools of other authors write it. A byte order mark before it is skipped, and Python's <c>NaN</c>, <c>Infinity</c> and
/// <c>-Infinity</c> are read as texts of these names, since JSON has no such numbers. Any other fault is a refusal that names the file.
/// </summary>
public static class PublishedJson
{
    private const int MaxDepth = 64;

    private static readonly byte[][] NamedNumbers = ["NaN"u8.ToArray(), "Infinity"u8.ToArray(), "-Infinity"u8.ToArray()];

    /// <summary>The root value. Every name and text in it has been asked for once, so that no later question can fail.</summary>
    /// <param name="file">The file's name, for messages.</param>
    /// <exception cref="ModelFormatException">It is not JSON in UTF-8, repeats a key, or is nested too deeply.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> json, string file)
    {
        using var document = Open(json, file);
        try
        {
            AskForTexts(document.RootElement);
        }
        catch (InvalidOperationException fault)
        {
            throw NotUnicode(file, fault); // what the JSON reader throws for such a text when it is asked for it
        }

        return document.RootElement.Clone();
    }

    /// <summary>An object that can be changed and written again.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object.</exception>
    public static JsonObject ParseObject(ReadOnlyMemory<byte> json, string file) => Parse(json, file) is { ValueKind: JsonValueKind.Object } root
        ? JsonObject.Create(root)!
        : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file} is not a JSON object.");

    /// <summary>The document as it is: names and texts are decoded, and may fail, when they are asked for.</summary>
    /// <exception cref="ModelFormatException">It is not JSON in UTF-8, repeats a key, or is nested too deeply.</exception>
    public static JsonDocument Open(ReadOnlyMemory<byte> json, string file, int maxDepth = MaxDepth)
    {
        LfsPointer.Refuse(json.Span, file);
        var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = maxDepth };
        var text = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
        try
        {
            try
            {
                return JsonDocument.Parse(text, options);
            }
            catch (JsonException) when (WithNamedNumbers(text.Span) is { } written)
            {
                return JsonDocument.Parse(written, options);
            }
        }
        catch (JsonException fault)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file} {Reason(json.Span, fault)}", fault);
        }
        catch (InvalidOperationException fault)
        {
            throw NotUnicode(file, fault); // a name, which is decoded to find one that is repeated
        }
    }

    private static string Reason(ReadOnlySpan<byte> json, JsonException fault) =>
        json.IsEmpty ? "is empty; expected is JSON."
        : json.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || json.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) || json[..Math.Min(json.Length, 4)].Contains((byte)0)
            ? "is in UTF-16 or UTF-32; expected is JSON in UTF-8."
            : $"is not valid JSON: {fault.Message}";

    private static ModelFormatException NotUnicode(string file, InvalidOperationException fault) => new(
        ModelFormatProblem.CorruptFile, $"{file} holds a text that is not Unicode: bytes that are not UTF-8, or half a character (a lone surrogate).", fault);

    /// <summary>The same with each of Python's numbers that JSON does not have as a text; null when there is none.</summary>
    private static byte[]? WithNamedNumbers(ReadOnlySpan<byte> json)
    {
        List<byte>? written = null;
        var kept = 0; // up to here everything is in what was written
        for (var at = 0; at < json.Length; at++)
        {
            if (json[at] == '"')
            {
                at = EndOfText(json, at);
            }
            else if (json[at] is (byte)'N' or (byte)'I' or (byte)'-' && NameAt(json[at..]) is { } name)
            {
                written ??= new List<byte>(json.Length + 64);
                written.AddRange(json[kept..at]);
                written.Add((byte)'"');
                written.AddRange(name.AsSpan());
                written.Add((byte)'"');
                kept = at + name.Length;
                at = kept - 1;
            }
        }

        written?.AddRange(json[kept..]);
        return written is null ? null : [.. written];
    }

    private static byte[]? NameAt(ReadOnlySpan<byte> json)
    {
        foreach (var name in NamedNumbers)
        {
            if (json.StartsWith(name))
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>The place of the quote that closes the text which begins at a place; the last place where none does.</summary>
    private static int EndOfText(ReadOnlySpan<byte> json, int at)
    {
        for (at++; at < json.Length - 1 && json[at] != '"'; at++)
        {
            if (json[at] == '\\')
            {
                at++;
            }
        }

        return at;
    }

    private static void AskForTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    AskForTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    AskForTexts(property.Value);
                }

                break;
        }
    }
}
