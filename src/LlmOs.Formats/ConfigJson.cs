using System.Globalization;
using System.Text.Json;

namespace LlmOs.Formats;

/// <summary>A published JSON configuration, read strictly: a value of the wrong kind is a refusal that names it.</summary>
public sealed class ConfigJson
{
    /// <summary>Bytes; published ones have a few thousand.</summary>
    public const int MaxBytes = 4 << 20;

    private readonly JsonElement _root;
    private readonly string _path; // of this object inside the file, ending in a dot; empty for the file itself

    private ConfigJson(JsonElement root, string file, string path) => (_root, File, _path) = (root, file, path);

    /// <summary>The file's name, for messages.</summary>
    public string File { get; }

    /// <exception cref="ModelFormatException">It is not one JSON object, or repeats a key.</exception>
    public static ConfigJson Parse(ReadOnlyMemory<byte> json, string file)
    {
        if (json.Length > MaxBytes)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{file} has {json.Length} bytes; at most {MaxBytes} are read.");
        }

        return PublishedJson.Parse(json, file) is { ValueKind: JsonValueKind.Object } root
            ? new ConfigJson(root, file, "")
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file} is not a JSON object.");
    }

    /// <summary>In the order of the file.</summary>
    public IEnumerable<string> Keys => _root.EnumerateObject().Select(p => p.Name);

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool Has(string key) => Value(key) is not null;

    /// <summary>Whether the key is there, be it with null.</summary>
    public bool IsStated(string key) => _root.TryGetProperty(key, out _);

    /// <summary>Texts written as pairs of a list and how often it is repeated: <c>[[["global","local"],6]]</c>; empty when absent.</summary>
    public IReadOnlyList<string> Repeated(string key)
    {
        if (Value(key) is not { } value)
        {
            return [];
        }

        List<string> texts = [];
        foreach (var pair in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default)
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2
                || pair[0].ValueKind != JsonValueKind.Array || pair[0].EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String)
                || pair[1].ValueKind != JsonValueKind.Number || !pair[1].TryGetInt32(out var times) || times is < 1 or > 4096)
            {
                throw Wrong(key, "a list of pairs of texts and a number", value);
            }

            for (var i = 0; i < times; i++)
            {
                texts.AddRange(pair[0].EnumerateArray().Select(t => t.GetString()!));
            }
        }

        return texts;
    }

    /// <summary>The value as it stands in the file, for messages; null when it is absent or null.</summary>
    public string? RawText(string key) => Value(key)?.GetRawText();

    public JsonValueKind KindOf(string key) => Value(key)?.ValueKind ?? JsonValueKind.Null;

    public string? Text(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        var other => throw Wrong(key, "a text", other.Value),
    };

    public bool? Flag(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var other => throw Wrong(key, "true or false", other.Value),
    };

    public double? Number(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when double.IsFinite(number.GetDouble()) => number.GetDouble(),
        var other => throw Wrong(key, "a finite number", other.Value),
    };

    /// <summary>A finite number of at least <paramref name="min"/> and at most <paramref name="max"/>.</summary>
    public double? Number(string key, double min, double max = double.MaxValue) => Number(key) switch
    {
        null => null,
        { } number when number >= min && number <= max => number,
        _ => throw Wrong(key, max < double.MaxValue ? $"a number from {min} to {max}" : $"a number of at least {min}", Value(key)!.Value),
    };

    /// <summary>A whole number of at least <paramref name="min"/> and at most <paramref name="max"/>.</summary>
    public int? Whole(string key, int min, int max) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var whole) && whole >= min && whole <= max => whole,
        var other => throw Wrong(key, $"a whole number from {min} to {max}", other.Value),
    };

    /// <summary>Ids given as one number or as a list; empty when absent.</summary>
    public IReadOnlyList<int> Ids(string key) => Value(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Number } one when one.TryGetInt32(out var id) && id >= 0 => [id],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(IsId) => [.. list.EnumerateArray().Select(e => e.GetInt32())],
        var other => throw Wrong(key, "a token id or a list of them", other.Value),
    };

    /// <summary>A list of texts; empty when absent.</summary>
    public IReadOnlyList<string> Texts(string key) => Value(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) =>
            [.. list.EnumerateArray().Select(e => e.GetString()!)],
        var other => throw Wrong(key, "a list of texts", other.Value),
    };

    /// <summary>A list of numbers; empty when absent.</summary>
    public IReadOnlyList<double> Numbers(string key) => Value(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Number && double.IsFinite(e.GetDouble())) =>
            [.. list.EnumerateArray().Select(e => e.GetDouble())],
        var other => throw Wrong(key, "a list of finite numbers", other.Value),
    };

    /// <summary>Lists of ids; empty when absent.</summary>
    public IReadOnlyList<int[]> IdLists(string key) => Value(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(IsIdList) => [.. list.EnumerateArray().Select(IdsOf)],
        var other => throw Wrong(key, "a list of lists of token ids", other.Value),
    };

    /// <summary>Pairs of a list of ids and a number; empty when absent.</summary>
    public IReadOnlyList<(int[] Tokens, float Bias)> Biases(string key) => Value(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(IsBias) => [.. list.EnumerateArray().Select(pair => (IdsOf(pair[0]), pair[1].GetSingle()))],
        var other => throw Wrong(key, "a list of pairs of token ids and a number", other.Value),
    };

    /// <summary>The entries of this object that are objects.</summary>
    public IEnumerable<KeyValuePair<string, ConfigJson>> Sections() =>
        _root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object).Select(p => KeyValuePair.Create(p.Name, Section(p.Name)!));

    /// <summary>Every entry of this object, all of which must be texts.</summary>
    public IReadOnlyDictionary<string, string> Words() =>
        _root.EnumerateObject().ToDictionary(p => p.Name, p => Text(p.Name) ?? "", StringComparer.Ordinal);

    /// <summary>Names by their numbers: <c>{"0": "negative", "1": "positive"}</c>; empty when absent.</summary>
    public IReadOnlyList<string> Numbered(string key)
    {
        if (Value(key) is not { } value)
        {
            return [];
        }

        var entries = value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().ToList() : [];
        var names = new string?[entries.Count];
        foreach (var entry in entries)
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at >= names.Length || entry.Value.ValueKind != JsonValueKind.String)
            {
                throw Wrong(key, "an object of texts with the keys \"0\", \"1\" and so on", value);
            }

            names[at] = entry.Value.GetString();
        }

        return names.Length > 0 && Array.TrueForAll(names, n => n is not null) ? [.. names.Select(n => n!)] : throw Wrong(key, "an object of texts with the keys \"0\", \"1\" and so on", value);
    }

    /// <summary>An object inside this one, or null.</summary>
    public ConfigJson? Section(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } section => new ConfigJson(section, File, $"{_path}{key}."),
        var other => throw Wrong(key, "an object", other.Value),
    };

    /// <summary>The key with its place in the file: <c>rope_parameters.factor</c>.</summary>
    public string NameOf(string key) => _path + key;

    /// <summary>What to throw when a key that must be there is not.</summary>
    public ModelFormatException Missing(string key) =>
        new(ModelFormatProblem.CorruptFile, $"{File} lacks '{NameOf(key)}'.");

    private JsonElement? Value(string key) =>
        _root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static bool IsBias(JsonElement pair) =>
        pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && IsIdList(pair[0])
        && pair[1].ValueKind == JsonValueKind.Number && float.IsFinite(pair[1].GetSingle());

    private static bool IsIdList(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0 && list.EnumerateArray().All(IsId);

    private static int[] IdsOf(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetInt32())];

    private static bool IsId(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var id) && id >= 0;

    private ModelFormatException Wrong(string key, string expected, JsonElement found)
    {
        var text = found.GetRawText();
        return new(ModelFormatProblem.CorruptFile, $"{File}: '{NameOf(key)}' must be {expected}, not {(text.Length > 80 ? text[..80] + "..." : text)}.");
    }
}
