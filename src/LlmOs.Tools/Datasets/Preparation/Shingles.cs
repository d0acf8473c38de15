using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>The pieces of a text by which near duplicates are told: its different runs of <see cref="Length"/> characters.</summary>
internal static class Shingles
{
    /// <summary>Characters of a piece.</summary>
    public const int Length = 5;

    /// <summary>Hashes of the pieces, each once, in ascending order.</summary>
    public static ulong[] Of(string text)
    {
        var plain = Plain(text).AsSpan();
        if (plain.Length <= Length)
        {
            return [XxHash3.HashToUInt64(MemoryMarshal.AsBytes(plain))];
        }

        var hashes = new ulong[plain.Length - Length + 1];
        for (var at = 0; at < hashes.Length; at++)
        {
            hashes[at] = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(plain.Slice(at, Length)));
        }

        Array.Sort(hashes);
        var count = 1;
        for (var at = 1; at < hashes.Length; at++)
        {
            if (hashes[at] != hashes[count - 1])
            {
                hashes[count++] = hashes[at];
            }
        }

        return hashes[..count];
    }

    /// <summary>What two sets share of what either has.</summary>
    public static double Jaccard(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        var (i, j, both) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            (i, j, both) = a[i] == b[j] ? (i + 1, j + 1, both + 1) : a[i] < b[j] ? (i + 1, j, both) : (i, j + 1, both);
        }

        return (double)both / (a.Length + b.Length - both);
    }

    /// <summary>Small letters, one blank in the place of white space.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        var isBlank = false;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                isBlank = plain.Length > 0;
                continue;
            }

            if (isBlank)
            {
                plain.Append(' ');
                isBlank = false;
            }

            plain.Append(char.ToLowerInvariant(c));
        }

        return plain.ToString();
    }
}
