using System.Text.Json;

namespace LlmOs.Engine.Text.Tokenizers.Forms;

/// <summary>
/// What stands beside a vocabulary in the older forms: <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
/// <c>added_tokens.json</c>. All of it may be absent.
/// </summary>
internal sealed class TokenizerConfig
{
    public const string ConfigFile = "tokenizer_config.json";
    public const string WordsFile = "special_tokens_map.json";
    public const string AddedFile = "added_tokens.json";

    private const int MaxBytes = 64 << 20;
    private const int MaxAdded = 100_000;

    private static readonly string[] Roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly Fields? _config;
    private readonly Dictionary<string, Word> _words = new(StringComparer.Ordinal);
    private readonly List<(int? Id, Word Word)> _added = [];

    private TokenizerConfig(Fields? config) => _config = config;

    /// <summary>The words of a class that the files do not change.</summary>
    private sealed record Word(string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool? Normalized, bool Special);

    /// <summary>The tokenizer's class without the suffix <c>Fast</c>; null when no file names it.</summary>
    public string? Class => _config?.StringOrNull("tokenizer_class") is { } name && name.EndsWith("Fast", StringComparison.Ordinal)
        ? name[..^4]
        : _config?.StringOrNull("tokenizer_class");

    /// <param name="files">Names and where the contents lie.</param>
    public static TokenizerConfig Read(IReadOnlyDictionary<string, string> files)
    {
        var config = new TokenizerConfig(Parse(files, ConfigFile));
        config.ReadWords(Parse(files, WordsFile));
        config.ReadWords(config._config);
        config.ReadAdded(Parse(files, AddedFile));
        return config;
    }

    public bool Flag(string name, bool otherwise) => _config?.Flag(name, otherwise) ?? otherwise;

    public bool? Flag(string name) => _config?.Find(name) is null ? null : _config.Value.Flag(name, false);

    /// <summary>The word for a role (<c>bos_token</c>), or what the class takes by itself.</summary>
    public string? WordOf(string role, string? otherwise) => _words.TryGetValue(role, out var word) ? word.Content : otherwise;

    /// <summary>Every token that is cut out of texts before the model sees them.</summary>
    /// <param name="otherwise">Words of the class for roles that no file states.</param>
    public List<AddedToken> Added(Vocabulary vocabulary, IReadOnlyDictionary<string, string> otherwise)
    {
        var tokens = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var (id, word) in _added)
        {
            Add(vocabulary.Find(word.Content) ?? id, word);
        }

        foreach (var (role, content) in otherwise)
        {
            if (!_words.ContainsKey(role))
            {
                Add(vocabulary.Find(content), new Word(content, false, false, false, false, Special: true));
            }
        }

        foreach (var word in _words.Values)
        {
            Add(tokens.TryGetValue(word.Content, out var known) ? known.Id : vocabulary.Find(word.Content), word with { Special = true });
        }

        var result = tokens.Values.OrderBy(token => token.Id).ToList();
        Vocabulary.CheckRange(result.Count == 0 ? 0 : result[^1].Id, vocabulary.Count + result.Count, AddedFile);
        return result;

        void Add(int? id, Word word)
        {
            if (id is { } number && word.Content.Length > 0)
            {
                tokens[word.Content] = new AddedToken(
                    number, word.Content, word.SingleWord, word.LeftStrip, word.RightStrip, word.Normalized ?? !word.Special, word.Special);
            }
        }
    }

    private void ReadWords(Fields? source)
    {
        foreach (var role in source is null ? [] : Roles)
        {
            if (source.Value.Find(role) is { } value && ReadWord(value, $"{source.Value.Component}.{role}") is { } word)
            {
                _words[role] = word;
            }
        }

        if (source?.Find("added_tokens_decoder") is { } added)
        {
            foreach (var entry in Entries(added, $"{source.Value.Component}.added_tokens_decoder"))
            {
                var fields = new Fields(entry.Value, $"{source.Value.Component}.added_tokens_decoder");
                if (!int.TryParse(entry.Name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id))
                {
                    throw new TokenizerFormatException($"{fields.Component} has the key \"{Vocabulary.Shown(entry.Name)}\"; an id was expected.");
                }

                _added.Add((id, ReadFlags(fields, fields.Flag("special", false))));
            }
        }

        if (source?.Find("additional_special_tokens") is { ValueKind: JsonValueKind.Array } more)
        {
            _added.AddRange(more.EnumerateArray()
                .Select(item => ReadWord(item, $"{source.Value.Component}.additional_special_tokens")).OfType<Word>()
                .Select(word => ((int?)null, word with { Special = true })));
        }
    }

    private void ReadAdded(Fields? source)
    {
        foreach (var entry in source?.Entries() ?? [])
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id < 0)
            {
                throw new TokenizerFormatException($"{AddedFile}: the id of \"{Vocabulary.Shown(entry.Name)}\" is not a whole number from 0 on.");
            }

            if (!_added.Exists(token => token.Word.Content == entry.Name))
            {
                _added.Add((id, new Word(entry.Name, false, false, false, null, Special: false)));
            }
        }

        if (_added.Count > MaxAdded)
        {
            throw new TokenizerFormatException($"{AddedFile} and {ConfigFile} name {_added.Count} added tokens; at most {MaxAdded} are accepted.");
        }
    }

    /// <summary>A text, or an object with its flags; null for anything else, such as false.</summary>
    private static Word? ReadWord(JsonElement value, string component) => value.ValueKind switch
    {
        JsonValueKind.String => new Word(value.GetString()!, false, false, false, false, Special: true),
        JsonValueKind.Object => ReadFlags(new Fields(value, component), special: true),
        _ => null,
    };

    private static Word ReadFlags(Fields fields, bool special) => new(
        fields.String("content"), fields.Flag("single_word", false), fields.Flag("lstrip", false), fields.Flag("rstrip", false),
        fields.Find("normalized") is null ? null : fields.Flag("normalized", false), special);

    private static JsonElement.ObjectEnumerator Entries(JsonElement value, string component) => new Fields(value, component).Entries();

    private static Fields? Parse(IReadOnlyDictionary<string, string> files, string name) =>
        files.TryGetValue(name, out var path) ? new Fields(TokenizerFiles.ReadJson(path, MaxBytes, name), name) : null;
}
