using System.Runtime.InteropServices;
using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Learns the merges of a byte-level BPE (Sennrich et al., arXiv:1508.07909, on bytes): the most frequent pair first;
/// among equally frequent ones the pair whose bytes are greater, first token before second.
/// </summary>
/// <remarks>
/// A pair that spells a token which is already there is never merged: a vocabulary names each token once.
/// Pairs seen less than twice teach nothing, so a small text may end with a smaller vocabulary than was asked for.
/// </remarks>
internal sealed class BytePairTrainer
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>Counts the words of a piece of text; pieces end where <see cref="TextChunks"/> cuts.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        var lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        while (text.Length > 0)
        {
            var length = WordSplitter.NextLength(text);
            CollectionsMarshal.GetValueRefOrAddDefault(lookup, text[..length], out _)++;
            text = text[length..];
        }
    }

    /// <param name="vocabulary">Tokens wanted: special ones, 256 bytes and merges.</param>
    /// <param name="specialTokens">They get the first ids.</param>
    /// <param name="cancel">Stops between two merges.</param>
    public BytePairs Train(int vocabulary, IReadOnlyList<string> specialTokens, CancellationToken cancel)
    {
        var tokens = new List<byte[]>(vocabulary);
        tokens.AddRange(ByteAlphabet.Order.Select(b => new[] { b }));
        var known = new HashSet<string>(tokens.Select(t => ByteAlphabet.Spell(t)), StringComparer.Ordinal);
        var merges = new List<(int Left, int Right)>();
        var state = new PairCounts(Words(), (one, other) => GreaterFirst(tokens, one, other));

        while (specialTokens.Count + tokens.Count < vocabulary && state.TakeBest() is { } best)
        {
            cancel.ThrowIfCancellationRequested();
            byte[] joined = [.. tokens[best.Left], .. tokens[best.Right]];
            if (!known.Add(ByteAlphabet.Spell(joined)))
            {
                continue;
            }

            merges.Add(best);
            tokens.Add(joined);
            state.Merge(best, tokens.Count - 1);
        }

        return new BytePairs(specialTokens, tokens, merges);
    }

    /// <summary>The words as indices of bytes in the order of a vocabulary.</summary>
    private IEnumerable<(int[] Symbols, long Count)> Words()
    {
        var idOfByte = new int[256];
        for (var id = 0; id < 256; id++)
        {
            idOfByte[ByteAlphabet.Order[id]] = id;
        }

        return _counts.Select(word => (Encoding.UTF8.GetBytes(word.Key).Select(b => idOfByte[b]).ToArray(), word.Value));
    }

    private static int GreaterFirst(List<byte[]> tokens, (int Left, int Right) one, (int Left, int Right) other)
    {
        var order = tokens[other.Left].AsSpan().SequenceCompareTo(tokens[one.Left]);
        return order != 0 ? order : tokens[other.Right].AsSpan().SequenceCompareTo(tokens[one.Right]);
    }
}
