using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>The fields of one component's JSON object; every complaint names the component.</summary>
internal readonly struct Fields
{
    private const int MaxBrief = 1024;

    private readonly JsonElement _element;

    public Fields(JsonElement element, string component)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerFormatException($"{component} is {Word(element)}; an object was expected.");
        }

        _element = element;
        Component = component;
    }

    /// <summary>Where the object stands in the file, for messages: <c>decoder</c>, <c>model</c> ...</summary>
    public string Component { get; }

    /// <summary>The value of <c>type</c>.</summary>
    public string Type => String("type");

    public JsonElement? Find(string name) =>
        _element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public JsonElement Required(string name) =>
        Find(name) ?? throw new TokenizerFormatException($"{Component} lacks \"{name}\".");

    public Fields Child(string name) => new(Required(name), $"{Component}.{name}");

    public string String(string name) => Text(Required(name), name);

    /// <summary>A text that is written again and again, and so must not be long.</summary>
    public string Brief(string name)
    {
        var text = String(name);
        return text.Length <= MaxBrief ? text : throw new TokenizerFormatException($"{Component}.{name} has {text.Length} characters; at most {MaxBrief} are accepted.");
    }

    public string? StringOrNull(string name) => Find(name) is { } value ? Text(value, name) : null;

    public bool Flag(string name, bool otherwise) => Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(name, value, "true or false"),
    };

    public int Number(string name) => Whole(Required(name), name);

    public int? NumberOrNull(string name) => Find(name) is { } value ? Whole(value, name) : null;

    public JsonElement.ArrayEnumerator Items(string name)
    {
        var value = Required(name);
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(name, value, "a list");
    }

    public JsonElement.ObjectEnumerator Entries() => _element.EnumerateObject();

    /// <summary>A field of exactly one character (a Unicode scalar value).</summary>
    public string Character(string name)
    {
        var text = String(name);
        return System.Text.Rune.TryGetRuneAt(text, 0, out var rune) && rune.Utf16SequenceLength == text.Length
            ? text
            : throw new TokenizerFormatException($"{Component}.{name} is \"{text}\"; one character was expected.");
    }

    public TokenizerFormatException Wrong(string name, JsonElement value, string expected) =>
        new($"{Component}.{name} is {Word(value)}; {expected} was expected.");

    public TokenizerFormatException Unsupported(string type) =>
        new($"{Component} has the type \"{type}\", which is not supported.");

    /// <summary>The text of an element that is one.</summary>
    public static string TextOf(JsonElement value, string component)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException cause)
        {
            throw new TokenizerFormatException($"{component} holds half a character (a lone surrogate).", cause);
        }
    }

    /// <summary>The name of a property.</summary>
    public static string NameOf(JsonProperty property, string component)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException cause)
        {
            throw new TokenizerFormatException($"{component} has a name that holds half a character (a lone surrogate).", cause);
        }
    }

    private string Text(JsonElement value, string name) => value.ValueKind == JsonValueKind.String
        ? TextOf(value, $"{Component}.{name}")
        : throw Wrong(name, value, "a text");

    private int Whole(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0
            ? number
            : throw Wrong(name, value, "a whole number from 0 on");

    private static string Word(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => $"the number {Shortened(value.GetRawText())}",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private static string Shortened(string text) => text.Length <= 32 ? text : text[..32] + "...";
}
