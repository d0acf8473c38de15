using System.Buffers;
using System.Text;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Normalizers;

namespace LlmOs.Formats.Tokenizers;

/// <summary>A token that stands beside the model's own and is cut out of the text before the model sees it.</summary>
/// <param name="SingleWord">Matches only where no letter, digit or underscore touches it.</param>
/// <param name="LeftStrip">Takes the white space before it along.</param>
/// <param name="RightStrip">Takes the white space after it along.</param>
/// <param name="Normalized">Is looked for in the normalised text (itself normalised), not in the text as it came.</param>
internal sealed record AddedToken(
    int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special);

/// <summary>The added tokens of a tokenizer and the search for them.</summary>
internal sealed class AddedTokens
{
    // Bounds the search at a place of the text; real files stay below 100.
    private const int MaxLength = 512;

    private readonly Dictionary<int, AddedToken> _byId = [];
    private readonly Dictionary<string, AddedToken> _byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _normalizedForms = [];
    private readonly HashSet<string> _specialContents = new(StringComparer.Ordinal);
    private readonly TokenSearch? _raw;
    private readonly TokenSearch? _normalized;

    public AddedTokens(IEnumerable<AddedToken> tokens, INormalizer? normalizer)
    {
        var raw = new List<(string, AddedToken)>();
        var normalized = new List<(string, AddedToken)>();
        foreach (var token in tokens)
        {
            if (token.Content.Length == 0)
            {
                continue;
            }

            if (token.Content.Length > MaxLength)
            {
                throw new TokenizerFormatException(
                    $"added_tokens: the token with the id {token.Id} has {token.Content.Length} characters; at most {MaxLength} are accepted.");
            }

            if (_byId.TryGetValue(token.Id, out var other) && other.Content != token.Content)
            {
                throw new TokenizerFormatException(
                    $"added_tokens: \"{Vocabulary.Shown(other.Content)}\" and \"{Vocabulary.Shown(token.Content)}\" share the id {token.Id}.");
            }

            _byId[token.Id] = token;
            _byContent[token.Content] = token;
            if (token.Special)
            {
                _specialContents.Add(token.Content);
            }

            var pattern = token.Content;
            if (token.Normalized && normalizer is not null)
            {
                pattern = normalizer.Normalize(new AlignedText(token.Content, 0, tracked: false, new Work(token.Content.Length))).Text;
                if (pattern != token.Content)
                {
                    _normalizedForms[token.Id] = pattern;
                }
            }

            if (pattern.Length is > 0 and <= 4 * MaxLength)
            {
                (token.Normalized ? normalized : raw).Add((pattern, token));
            }
        }

        _raw = raw.Count == 0 ? null : new TokenSearch(raw);
        _normalized = normalized.Count == 0 ? null : new TokenSearch(normalized);
    }

    public IReadOnlyCollection<AddedToken> All => _byId.Values;

    /// <summary>A stretch of text: a token's, or one that goes on to the model.</summary>
    public readonly record struct Section(int Start, int End, AddedToken? Token);

    public int? Find(string content) => _byContent.TryGetValue(content, out var token) ? token.Id : null;

    public AddedToken? Find(int id) => _byId.GetValueOrDefault(id);

    public bool IsSpecial(string content) => _specialContents.Contains(content);

    /// <summary>The spelling that decoders see.</summary>
    public string? DecodedForm(int id) =>
        _normalizedForms.TryGetValue(id, out var form) ? form : _byId.GetValueOrDefault(id)?.Content;

    /// <summary>Cuts the text as it came.</summary>
    public List<Section> SplitRaw(string text, bool parseSpecial) => Split(_raw, text, parseSpecial);

    /// <summary>Cuts the normalised text.</summary>
    public List<Section> SplitNormalized(string text, bool parseSpecial) => Split(_normalized, text, parseSpecial);

    private static List<Section> Split(TokenSearch? search, string text, bool parseSpecial)
    {
        var sections = new List<Section>(1);
        var free = 0;
        for (var at = 0; search is not null && search.Next(text, ref at, out var length, out var token);)
        {
            var (start, end) = (at, at + length);
            at = end;
            if ((!parseSpecial && token.Special) || (token.SingleWord && TouchesWord(text, start, end)))
            {
                continue;
            }

            while (token.LeftStrip && start > free && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            // White space that a token took may hold the start of a token of white space: that one is gone.
            if (start < free)
            {
                start = free;
            }

            if (free < start)
            {
                sections.Add(new Section(free, start, null));
            }

            sections.Add(new Section(start, end, token));
            free = end;
            at = Math.Max(at, end);
        }

        if (free < text.Length)
        {
            sections.Add(new Section(free, text.Length, null));
        }

        return sections;
    }

    private static bool TouchesWord(string text, int start, int end) =>
        (start > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _) == OperationStatus.Done && CharClass.IsWord(before.Value))
        || (end < text.Length && Rune.DecodeFromUtf16(text.AsSpan(end), out var after, out _) == OperationStatus.Done && CharClass.IsWord(after.Value));
}

/// <summary>Finds, from left to right, the longest pattern at the first place where one matches.</summary>
internal sealed class TokenSearch
{
    private readonly Dictionary<(int Node, char Unit), int> _edges = [];
    private readonly List<AddedToken?> _tokens = [null];
    private readonly SearchValues<char> _first;

    public TokenSearch(List<(string Pattern, AddedToken Token)> patterns)
    {
        var first = new HashSet<char>();
        foreach (var (pattern, token) in patterns)
        {
            first.Add(pattern[0]);
            var node = 0;
            foreach (var unit in pattern)
            {
                if (!_edges.TryGetValue((node, unit), out var next))
                {
                    next = _tokens.Count;
                    _tokens.Add(null);
                    _edges.Add((node, unit), next);
                }

                node = next;
            }

            _tokens[node] = token;
        }

        _first = SearchValues.Create([.. first]);
    }

    /// <summary>Length of the longest pattern that begins with the text, or 0.</summary>
    public int At(ReadOnlySpan<char> text) =>
        text.Length > 0 && _first.Contains(text[0]) && Longest(text, 0, out var length) is not null ? length : 0;

    public bool Next(ReadOnlySpan<char> text, ref int at, out int length, out AddedToken token)
    {
        while (true)
        {
            var skip = text[at..].IndexOfAny(_first);
            if (skip < 0)
            {
                (length, token) = (0, null!);
                return false;
            }

            at += skip;
            if (Longest(text, at, out length) is { } longest)
            {
                token = longest;
                return true;
            }

            at++;
        }
    }

    private AddedToken? Longest(ReadOnlySpan<char> text, int at, out int length)
    {
        (length, AddedToken? longest) = (0, null);
        var node = 0;
        for (var i = at; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_tokens[node] is { } found)
            {
                (length, longest) = (i + 1 - at, found);
            }
        }

        return longest;
    }
}
