using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>A token for every piece, or the unknown one.</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, string unknownToken) : ITokenModel
{
    public string Kind => "WordLevel";

    public Vocabulary Vocabulary => vocabulary;

    public int? Unknown => vocabulary.Find(unknownToken);

    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        var id = vocabulary.TryGet(piece, out var known) ? known : UnknownId(vocabulary, unknownToken);
        sink.Add(id, at, at + piece.Length);
    }

    public static int UnknownId(Vocabulary vocabulary, string token) => vocabulary.Find(token)
        ?? throw new TokenizerFormatException($"model.unk_token \"{token}\" is not in the vocabulary, and the text needs it.");
}

/// <summary>The longest token at each place of a word, from left to right (Wu et al. 2016; BERT's vocabulary).</summary>
internal sealed class WordPieceModel : ITokenModel
{
    private readonly string _unknownToken;
    private readonly int _maxCharacters;
    private readonly SpellingTrie _first;
    private readonly SpellingTrie _continuing;
    private readonly WordCache _cache = new();
    private readonly PieceSearch _search;

    /// <param name="prefix">What tokens that continue a word begin with.</param>
    /// <param name="maxCharacters">Longer words are unknown.</param>
    public WordPieceModel(Vocabulary vocabulary, string unknownToken, string prefix, int maxCharacters)
    {
        _search = Search;
        Vocabulary = vocabulary;
        _unknownToken = unknownToken;
        _maxCharacters = maxCharacters;
        var tokens = Enumerable.Range(0, vocabulary.Size)
            .Select(id => (Spelling: vocabulary.SpellingOf(id) ?? "", Id: id))
            .ToArray();
        _first = new SpellingTrie(tokens, "model.vocab");
        _continuing = new SpellingTrie(
            tokens.Where(token => token.Spelling.StartsWith(prefix, StringComparison.Ordinal))
                .Select(token => (token.Spelling[prefix.Length..], token.Id)),
            "model.vocab");
    }

    public string Kind => "WordPiece";

    public Vocabulary Vocabulary { get; }

    public int? Unknown => Vocabulary.Find(_unknownToken);

    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink) => _cache.Tokenize(piece, at, sink, _search);

    private void Search(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        var begin = sink.Count;
        var known = piece.Length <= _maxCharacters || Characters(piece) <= _maxCharacters;
        for (var start = 0; known && start < piece.Length;)
        {
            var trie = start == 0 ? _first : _continuing;
            var (node, longest, end) = (0, -1, start);
            for (var i = start; i < piece.Length && trie.Step(ref node, piece[i], out var id); i++)
            {
                if (id >= 0)
                {
                    (longest, end) = (id, i + 1);
                }
            }

            known = longest >= 0;
            if (known)
            {
                sink.Add(longest, at + start, at + end);
                start = end;
            }
        }

        if (!known)
        {
            sink.CutBack(begin);
            sink.Add(WordLevelModel.UnknownId(Vocabulary, _unknownToken), at, at + piece.Length);
        }
    }

    private static int Characters(ReadOnlySpan<char> piece)
    {
        var count = 0;
        foreach (var unit in piece)
        {
            count += char.IsLowSurrogate(unit) ? 0 : 1;
        }

        return count;
    }
}
