using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>A stretch of a text with its label.</summary>
/// <param name="Label">Of a token <c>B-PER</c>; of a group <c>PER</c>.</param>
/// <param name="Index">The token's place, special ones counted; 0 for groups.</param>
/// <param name="Start">In characters, as <see cref="CharacterPlaces"/> counts them; <paramref name="End"/> too.</param>
/// <param name="Tokens">Spellings of its tokens; of an unknown one the text that it stands for.</param>
internal sealed record LabelledSpan(string Label, float Score, int Index, string Word, int Start, int End, IReadOnlyList<string> Tokens)
{
    public EntityAnswer ToContract(bool isToken) => isToken
        ? new EntityAnswer { Entity = Label, Score = Score, Index = Index, Word = Word, Start = Start, End = End }
        : new EntityAnswer { EntityGroup = Label, Score = Score, Word = Word, Start = Start, End = End };
}

/// <summary>Puts the tokens of a text together to words and names: the rules of transformers' aggregation strategies.</summary>
internal sealed class WordLabels(IOffsetTokenizer tokenizer, IReadOnlyList<string> labels, string text)
{
    private readonly CharacterPlaces _characters = new(text);

    /// <param name="spans">The tokens that were run.</param>
    /// <param name="logits">[tokens, labels]</param>
    public List<LabelledSpan> Read(TokenSpan[] spans, float[] logits, string strategy)
    {
        var tokens = Tokens(spans, logits);
        return strategy switch
        {
            "none" => tokens.ConvertAll(Single),
            "simple" => Group(tokens.ConvertAll(Single)),
            _ => Group(Words(tokens).ConvertAll(w => Join(w, strategy))),
        };
    }

    /// <summary>Of what overlapping windows found at the same place the longer one stays, of equally long ones the surer.</summary>
    public static List<LabelledSpan> MergeOverlaps(List<LabelledSpan> found)
    {
        var ordered = found.OrderBy(e => e.Start).ToList();
        List<LabelledSpan> kept = [];
        foreach (var entity in ordered)
        {
            if (kept.Count == 0 || !(kept[^1].Start <= entity.Start && entity.Start < kept[^1].End))
            {
                kept.Add(entity);
                continue;
            }

            var (length, last) = (entity.End - entity.Start, kept[^1].End - kept[^1].Start);
            if (length > last || (length == last && entity.Score > kept[^1].Score))
            {
                kept[^1] = entity;
            }
        }

        return kept;
    }

    private List<Token> Tokens(TokenSpan[] spans, float[] logits)
    {
        List<Token> tokens = [];
        for (var at = 0; at < spans.Length; at++)
        {
            var span = spans[at];
            if (span.Sequence < 0)
            {
                continue;
            }

            var own = text[span.Start..span.End];
            var spelling = tokenizer.TokenOf(span.Id) ?? own;
            // WordPiece marks what continues a word, which makes its spelling longer; elsewhere a word begins after a blank.
            var continues = tokenizer.Kind == "WordPiece"
                ? CharacterPlaces.Count(spelling) != CharacterPlaces.Count(own)
                : span.Start > 0 && !text[(span.Start - 1)..Math.Min(text.Length, span.Start + 1)].Contains(' ', StringComparison.Ordinal);
            var isUnknown = span.Id == tokenizer.UnknownToken;
            tokens.Add(new Token(span, at, isUnknown ? own : spelling, continues && !isUnknown, Scores.Softmax(logits.AsSpan(at * labels.Count, labels.Count))));
        }

        return tokens;
    }

    private static List<List<Token>> Words(List<Token> tokens)
    {
        List<List<Token>> words = [];
        foreach (var token in tokens)
        {
            if (words.Count > 0 && token.Continues)
            {
                words[^1].Add(token);
            }
            else
            {
                words.Add([token]);
            }
        }

        return words;
    }

    private LabelledSpan Join(List<Token> word, string strategy)
    {
        var scores = strategy switch
        {
            "first" => word[0].Scores,
            "max" => word.MaxBy(t => t.Scores.Max())!.Scores,
            _ => [.. Enumerable.Range(0, labels.Count).Select(i => (float)word.Average(t => (double)t.Scores[i]))],
        };
        return Label(scores, word[0].Index, word[0].Span.Start, word[^1].Span.End, [.. word.Select(t => t.Word)]);
    }

    /// <summary>Neighbours with the same tag are one group, until a <c>B-</c> begins another.</summary>
    private List<LabelledSpan> Group(List<LabelledSpan> entities)
    {
        List<List<LabelledSpan>> groups = [];
        foreach (var entity in entities)
        {
            if (groups.Count > 0 && Tag(groups[^1][^1].Label) == Tag(entity.Label) && !entity.Label.StartsWith("B-", StringComparison.Ordinal))
            {
                groups[^1].Add(entity);
            }
            else
            {
                groups.Add([entity]);
            }
        }

        return groups.ConvertAll(g =>
        {
            string[] parts = [.. g.SelectMany(e => e.Tokens)];
            return new LabelledSpan(LastPart(g[0].Label), (float)g.Average(e => (double)e.Score), 0, tokenizer.Join(parts), g[0].Start, g[^1].End, parts);
        });
    }

    private LabelledSpan Single(Token token) => Label(token.Scores, token.Index, token.Span.Start, token.Span.End, [token.Word]);

    /// <param name="start">In UTF-16 units.</param>
    private LabelledSpan Label(float[] scores, int index, int start, int end, IReadOnlyList<string> tokens)
    {
        var best = Scores.Best(scores, 1).First();
        return new LabelledSpan(labels[best], scores[best], index, tokens[0], _characters.Of(start), _characters.Of(end), tokens);
    }

    /// <summary>What a group is called: <c>PER</c> of <c>B-PER</c>, and of <c>E-PER</c> too, which does not join others.</summary>
    private static string LastPart(string label) => label[(label.IndexOf('-', StringComparison.Ordinal) + 1)..];

    private static string Tag(string label) =>
        label.StartsWith("B-", StringComparison.Ordinal) || label.StartsWith("I-", StringComparison.Ordinal) ? label[2..] : label;

    private sealed record Token(TokenSpan Span, int Index, string Word, bool Continues, float[] Scores);
}
