namespace LlmOs.Formats.Gguf;

/// <summary>The key/value pairs of a GGUF file, read strictly: a value of the wrong kind is a refusal that names it.</summary>
public sealed class GgufMetadata(string file, IReadOnlyDictionary<string, GgufValue> values)
{
    /// <summary>The file's name, for messages.</summary>
    public string File { get; } = file;

    public IReadOnlyDictionary<string, GgufValue> Values { get; } = values;

    public bool Has(string key) => Values.ContainsKey(key);

    /// <summary>The text, or null when the key is absent.</summary>
    public string? Text(string key) => Find(key) switch
    {
        null => null,
        GgufText text => text.Value,
        var other => throw Wrong(key, "a text", other),
    };

    public bool? Flag(string key) => Find(key) switch
    {
        null => null,
        GgufFlag flag => flag.Value,
        var other => throw Wrong(key, "true or false", other),
    };

    /// <summary>A whole number of at least <paramref name="min"/> and at most <paramref name="max"/>, or null when absent.</summary>
    public int? Whole(string key, int min, int max) => Find(key) switch
    {
        null => null,
        GgufWhole whole when whole.Value >= min && whole.Value <= max => (int)whole.Value,
        var other => throw Wrong(key, $"a whole number from {min} to {max}", other),
    };

    /// <summary>A finite number, whole or not, or null when absent.</summary>
    public double? Number(string key) => Find(key) switch
    {
        null => null,
        GgufReal real when double.IsFinite(real.Value) => real.Value,
        GgufWhole whole => (double)whole.Value,
        var other => throw Wrong(key, "a finite number", other),
    };

    /// <summary>A list of texts; null when absent. An empty list of any kind counts.</summary>
    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        GgufTexts texts => texts.Items,
        GgufWholes { Items.Count: 0 } or GgufReals { Items.Count: 0 } => [],
        var other => throw Wrong(key, "a list of texts", other),
    };

    /// <summary>A list of numbers; null when absent.</summary>
    public IReadOnlyList<double>? Numbers(string key) => Find(key) switch
    {
        null => null,
        GgufReals reals => reals.Items,
        GgufWholes wholes => [.. wholes.Items.Select(item => (double)item)],
        GgufTexts { Items.Count: 0 } => [],
        var other => throw Wrong(key, "a list of numbers", other),
    };

    /// <summary>A list of whole numbers; null when absent.</summary>
    public IReadOnlyList<long>? Wholes(string key) => Find(key) switch
    {
        null => null,
        GgufWholes wholes => wholes.Items,
        GgufTexts { Items.Count: 0 } or GgufReals { Items.Count: 0 } => [],
        var other => throw Wrong(key, "a list of whole numbers", other),
    };

    /// <summary>What to throw when a key that must be there is not.</summary>
    public ModelFormatException Missing(string key) => new(ModelFormatProblem.CorruptFile, $"{File} lacks the metadata '{key}'.");

    /// <summary>What to throw when a key's value cannot be used.</summary>
    public ModelFormatException Corrupt(string key, string what) => new(ModelFormatProblem.CorruptFile, $"{File}: the metadata '{key}' {what}.");

    private GgufValue? Find(string key) => Values.GetValueOrDefault(key);

    private ModelFormatException Wrong(string key, string expected, GgufValue found) => Corrupt(key, $"must be {expected}, not {Describe(found)}");

    private static string Describe(GgufValue value) => value switch
    {
        GgufWhole whole => $"{whole.Value}",
        GgufReal real => $"{real.Value}",
        GgufFlag flag => flag.Value ? "true" : "false",
        GgufText { Value.Length: > 80 } text => $"'{text.Value[..80]}...'",
        GgufText text => $"'{text.Value}'",
        GgufTexts texts => $"a list of {texts.Items.Count} texts",
        GgufWholes wholes => $"a list of {wholes.Items.Count} whole numbers",
        GgufReals reals => $"a list of {reals.Items.Count} numbers",
        _ => "a list",
    };
}
