using System.Numerics;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>
/// Finds, for each text that comes, an earlier one that is nearly the same: MinHash (Broder 1997) with locality-sensitive bands
/// (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). What the bands bring up is compared piece by piece, so that
/// nothing is taken for a duplicate that is none. Texts lie on the disk; a text that is kept takes about 500 bytes of memory.
/// </summary>
internal sealed class NearIndex : IDisposable
{
    /// <summary>Values of a signature.</summary>
    public const int Signature = 128;

    private const int MaxTexts = 8_000_000;

    /// <summary>A signature says the share to within 0.035 or so (one standard deviation); what seems further off is not compared.</summary>
    private const double Slack = 0.15;

    private static readonly uint[] Factors = Constants(0x9E3779B97F4A7C15, odd: true);
    private static readonly uint[] Terms = Constants(0xC2B2AE3D27D4EB4F, odd: false);

    private readonly double _threshold;
    private readonly int _rowsPerBand;
    private readonly int _bands;
    private readonly StepPlace _place;
    private readonly List<ushort[]> _signatures = [];
    private readonly List<long> _ends = [];
    private readonly List<int> _next = [];
    private int[] _heads = NewHeads(1 << 12);
    private FileStream? _texts;

    public NearIndex(double threshold, StepPlace place)
    {
        (_threshold, _place) = (threshold, place);
        _rowsPerBand = RowsPerBand(threshold);
        _bands = Signature / _rowsPerBand;
    }

    public int Count => _signatures.Count;

    /// <summary>The number of an earlier text that is nearly the same; -1 where there is none, and then the text is kept.</summary>
    public int FindOrAdd(string text)
    {
        var pieces = Shingles.Of(text);
        var signature = Sign(pieces);
        var found = Find(pieces, signature);
        if (found < 0)
        {
            Add(text, signature);
        }

        return found;
    }

    /// <summary>Keeps a text, whatever is nearly the same.</summary>
    /// <returns>Its number.</returns>
    public int Add(string text)
    {
        Add(text, Sign(Shingles.Of(text)));
        return _signatures.Count - 1;
    }

    /// <summary>The numbers of all kept texts that are nearly the same, the earliest first.</summary>
    public IReadOnlyList<int> FindAll(string text)
    {
        var pieces = Shingles.Of(text);
        return [.. Matches(pieces, Sign(pieces), null).Order()];
    }

    public void Dispose() => _texts?.Dispose();

    /// <summary>For each of the functions the least value that it takes on the pieces, of which 16 bits are kept.</summary>
    public static ushort[] Sign(ReadOnlySpan<ulong> pieces)
    {
        Span<uint> least = stackalloc uint[Signature];
        least.Fill(uint.MaxValue);
        var lanes = Vector<uint>.Count;
        foreach (var piece in pieces)
        {
            var value = new Vector<uint>((uint)(piece >> 32));
            for (var at = 0; at < Signature; at += lanes)
            {
                var hashed = (value * new Vector<uint>(Factors, at)) + new Vector<uint>(Terms, at);
                var known = new Vector<uint>(least[at..]);
                Vector.Min(known, hashed).CopyTo(least[at..]);
            }
        }

        var signature = new ushort[Signature];
        for (var at = 0; at < Signature; at++)
        {
            // Mixed: the least of many values has few bits at its top.
            signature[at] = (ushort)((least[at] * 0x9E3779B1u) >> 16);
        }

        return signature;
    }

    /// <summary>What two signatures say of the share.</summary>
    public static double Estimate(ReadOnlySpan<ushort> a, ReadOnlySpan<ushort> b)
    {
        var same = 0;
        for (var at = 0; at < Signature; at++)
        {
            same += a[at] == b[at] ? 1 : 0;
        }

        return (double)same / Signature;
    }

    /// <summary>Long bands bring up less that is no duplicate, short ones miss less: the longest that miss one in a thousand at the threshold.</summary>
    private static int RowsPerBand(double threshold)
    {
        for (var rows = 8; rows > 1; rows--)
        {
            if (Math.Pow(1 - Math.Pow(threshold, rows), Signature / rows) < 1e-3)
            {
                return rows;
            }
        }

        return 1;
    }

    /// <summary>The earliest is taken, so that the answer does not depend on the bands.</summary>
    private int Find(ulong[] pieces, ushort[] signature)
    {
        var best = new Bound();
        foreach (var text in Matches(pieces, signature, best))
        {
            best.Below = text;
        }

        return best.Below == int.MaxValue ? -1 : best.Below;
    }

    /// <summary>Kept texts that share the threshold, in no order.</summary>
    /// <param name="bound">Texts at or behind it are not looked at; null: all are.</param>
    private IEnumerable<int> Matches(ulong[] pieces, ushort[] signature, Bound? bound)
    {
        HashSet<int> looked = [];
        for (var band = 0; band < _bands; band++)
        {
            for (var node = _heads[Slot(signature, band)]; node >= 0; node = _next[node])
            {
                var text = node / _bands;
                if (node % _bands == band && text < (bound?.Below ?? int.MaxValue) && IsInBand(text, signature, band) && looked.Add(text) && IsNear(text, pieces, signature))
                {
                    yield return text;
                }
            }
        }
    }

    private bool IsInBand(int text, ushort[] signature, int band) => BandOf(_signatures[text], band).SequenceEqual(BandOf(signature, band));

    private bool IsNear(int text, ulong[] pieces, ushort[] signature) =>
        Estimate(_signatures[text], signature) >= _threshold - Slack && Shingles.Jaccard(pieces, Shingles.Of(TextAt(text))) >= _threshold;

    private void Add(string text, ushort[] signature)
    {
        if (_signatures.Count == MaxTexts)
        {
            throw new LlmOsException(ErrorCode.TooLarge, $"More than {MaxTexts} different texts are not compared with each other.") { Field = "steps", Hint = "Take exact_duplicates, or prepare the data set in parts." };
        }

        _texts ??= new FileStream(
            Path.Combine(_place.Folder, $"texts-{Guid.NewGuid():n}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        _texts.Position = _texts.Length;
        _texts.Write(Encoding.UTF8.GetBytes(text));
        _ends.Add(_texts.Length);
        _signatures.Add(signature);
        if (_next.Count + _bands > _heads.Length)
        {
            Grow();
        }

        Link(_signatures.Count - 1);
    }

    private void Link(int text)
    {
        for (var band = 0; band < _bands; band++)
        {
            var slot = Slot(_signatures[text], band);
            var node = (text * _bands) + band;
            if (node == _next.Count)
            {
                _next.Add(_heads[slot]);
            }
            else
            {
                _next[node] = _heads[slot];
            }

            _heads[slot] = node;
        }
    }

    private void Grow()
    {
        _heads = NewHeads(_heads.Length * 2);
        for (var text = 0; text < _signatures.Count - 1; text++)
        {
            Link(text);
        }
    }

    private string TextAt(int text)
    {
        var begin = text == 0 ? 0 : _ends[text - 1];
        var bytes = new byte[_ends[text] - begin];
        _texts!.Position = begin;
        _texts.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private int Slot(ushort[] signature, int band)
    {
        var hash = (ulong)band;
        foreach (var value in BandOf(signature, band))
        {
            hash = (hash ^ value) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }

        return (int)(hash >> 32) & (_heads.Length - 1);
    }

    private ReadOnlySpan<ushort> BandOf(ushort[] signature, int band) => signature.AsSpan(band * _rowsPerBand, _rowsPerBand);

    private static int[] NewHeads(int size)
    {
        var heads = new int[size];
        Array.Fill(heads, -1);
        return heads;
    }

    /// <summary>SplitMix64, whose numbers are the same everywhere.</summary>
    private static uint[] Constants(ulong seed, bool odd)
    {
        var constants = new uint[Signature];
        for (var at = 0; at < Signature; at++)
        {
            seed += 0x9E3779B97F4A7C15;
            var mixed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            constants[at] = (uint)((mixed ^ (mixed >> 31)) >> 32) | (odd ? 1u : 0);
        }

        return constants;
    }

    private sealed class Bound
    {
        public int Below { get; set; } = int.MaxValue;
    }
}
