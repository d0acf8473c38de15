using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>The tokens of a GGUF file with their types and scores, checked.</summary>
internal sealed class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Comparisons that finding all merges of scored tokens may take; published vocabularies need a tenth.</summary>
    private const long MaxWork = 200_000_000;

    private readonly IReadOnlyList<long>? _types;
    private readonly IReadOnlyList<double>? _scores;

    private GgufVocabulary(string model, IReadOnlyList<string> tokens, IReadOnlyList<long>? types, IReadOnlyList<double>? scores) =>
        (Model, Tokens, _types, _scores) = (model, tokens, types, scores);

    /// <summary><c>gpt2</c>, <c>llama</c>, <c>bert</c>, <c>t5</c> ...</summary>
    public string Model { get; }

    public IReadOnlyList<string> Tokens { get; }

    public static GgufVocabulary Read(GgufMetadata metadata)
    {
        var tokens = metadata.Texts(Prefix + "tokens") ?? throw new TokenizerFormatException($"{Prefix}tokens is missing: the file holds no vocabulary.");
        var (types, scores) = (metadata.Wholes(Prefix + "token_type"), metadata.Numbers(Prefix + "scores"));
        foreach (var (name, count) in new[] { ("token_type", types?.Count), ("scores", scores?.Count) })
        {
            if (count is { } found && found != tokens.Count)
            {
                throw new TokenizerFormatException($"{Prefix}{name} has {found} items, but there are {tokens.Count} tokens.");
            }
        }

        return tokens.Count > 0
            ? new GgufVocabulary(metadata.Text(Prefix + "model") ?? "", tokens, types, scores)
            : throw new TokenizerFormatException($"{Prefix}tokens is empty.");
    }

    public PieceType TypeOf(int id) => _types is null ? PieceType.Normal
        : _types[id] is >= 1 and <= 6 and var type ? (PieceType)type
        : throw new TokenizerFormatException($"{Prefix}token_type[{id}] is {_types[id]}; 1 to 6 are supported.");

    public double ScoreOf(int id) => _scores is null
        ? throw new TokenizerFormatException($"{Prefix}scores is missing; a vocabulary of the model {Model} has scores.")
        : double.IsFinite(_scores[id]) ? _scores[id]
        : throw new TokenizerFormatException($"{Prefix}scores[{id}] is not a finite number.");

    /// <summary>The id of a role (<c>bos</c>); null when the file names none, or one that is no token.</summary>
    public int? IdOf(GgufMetadata metadata, string role) =>
        metadata.Number($"{Prefix}{role}_token_id") is { } id and >= 0 && id < Tokens.Count ? (int)id : null;

    /// <summary>Every pair of tokens that together spell a token: by the score of what they make, the longer left part first.</summary>
    public IEnumerable<(string Left, string Right)> MergesByScore()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var scored = new List<(string Token, double Score)>();
        var work = 0L;
        for (var id = 0; id < Tokens.Count; id++)
        {
            if (TypeOf(id) == PieceType.Normal && Tokens[id].Length > 0)
            {
                known.Add(Tokens[id]);
                scored.Add((Tokens[id], ScoreOf(id)));
                work += (long)Tokens[id].Length * Tokens[id].Length;
            }
        }

        if (work > MaxWork)
        {
            throw new TokenizerFormatException($"{Prefix}tokens are too long in all: finding their merges would take too much work.");
        }

        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (token, _) in scored.OrderByDescending(t => t.Score))
        {
            for (var cut = token.Length - 1; cut > 0; cut--)
            {
                if (!char.IsLowSurrogate(token[cut]) && lookup.Contains(token.AsSpan(0, cut)) && lookup.Contains(token.AsSpan(cut)))
                {
                    yield return (token[..cut], token[cut..]);
                }
            }
        }
    }
}
