using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Forms;

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

    /// <param name="Normalized">Null where no file says it.</param>
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
        return config._added.Count <= MaxAdded
            ? config
            : throw new TokenizerFormatException($"{AddedFile} and {ConfigFile} name {config._added.Count} added tokens; at most {MaxAdded} are accepted.");
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

    private void ReadWords(Fields? file)
    {
        if (file is not { } source)
        {
            return;
        }

        foreach (var role in Roles)
        {
            if (source.Find(role) is { } value && ReadWord(value, $"{source.Component}.{role}") is { } word)
            {
                _words[role] = word;
            }
        }

        if (source.Find("added_tokens_decoder") is not null)
        {
            foreach (var entry in source.Child("added_tokens_decoder").Entries())
            {
                var fields = new Fields(entry.Value, $"{source.Component}.added_tokens_decoder");
                if (!int.TryParse(Fields.NameOf(entry, fields.Component), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id))
                {
                    throw new TokenizerFormatException($"{fields.Component} has the key \"{Vocabulary.Shown(entry.Name)}\"; an id was expected.");
                }

                _added.Add((id, ReadFlags(fields, fields.Flag("special", false))));
            }
        }

        if (source.Find("additional_special_tokens") is { ValueKind: JsonValueKind.Array } more)
        {
            _added.AddRange(more.EnumerateArray()
                .Select(item => ReadWord(item, $"{source.Component}.additional_special_tokens")).OfType<Word>()
                .Select(word => ((int?)null, word with { Special = true })));
        }
    }

    private void ReadAdded(Fields? file)
    {
        if (file is not { } source)
        {
            return;
        }

        var known = _added.Select(token => token.Word.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in source.Entries())
        {
            var name = Fields.NameOf(entry, AddedFile);
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id < 0)
            {
                throw new TokenizerFormatException($"{AddedFile}: the id of \"{Vocabulary.Shown(name)}\" is not a whole number from 0 on.");
            }

            if (known.Add(name))
            {
                _added.Add((id, new Word(name, false, false, false, null, Special: false)));
            }
        }
    }

    /// <summary>A text, or an object with its flags; null for anything else, such as false.</summary>
    private static Word? ReadWord(JsonElement value, string component) => value.ValueKind switch
    {
        JsonValueKind.String => new Word(Fields.TextOf(value, component), false, false, false, false, Special: true),
        JsonValueKind.Object => ReadFlags(new Fields(value, component), special: true),
        _ => null,
    };

    private static Word ReadFlags(Fields fields, bool special) => new(
        fields.String("content"), fields.Flag("single_word", false), fields.Flag("lstrip", false), fields.Flag("rstrip", false),
        fields.Find("normalized") is null ? null : fields.Flag("normalized", false), special);

    private static Fields? Parse(IReadOnlyDictionary<string, string> files, string name) =>
        files.TryGetValue(name, out var path) ? new Fields(TokenizerFiles.ReadJson(path, MaxBytes, name), name) : null;
}
