using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>One call of the runner as it began.</summary>
internal readonly record struct ScriptedRun(int Number, bool IsPrefill, int Slot, int Past, int Count);

/// <summary>
/// A model whose "keys" are the tokens themselves: the next token is a function of every token that stands in the slot, so a
/// token lost, moved or mixed up by the cache or the scheduler changes the reply.
/// </summary>
/// <param name="after">The runner in whose place it works; its runs come first.</param>
internal sealed unsafe class ScriptedRunner(SlotCache cache, DecoderShape shape, ScriptedRunner? after = null) : IModelRunner
{
    private readonly float[] _logits = new float[64 * shape.Vocabulary];
    private readonly Lock _gate = new();
    private readonly List<ScriptedRun> _runs = after?._runs ?? new(100_000);
    private volatile bool _disposed;

    /// <summary>Called on the loop's thread before each run; may block or throw.</summary>
    public Action<ScriptedRun>? Before { get; set; } = after?.Before;

    /// <summary>A token after which the logits are not numbers; -1 for none.</summary>
    public int PoisonAfter { get; set; } = -1;

    public bool IsDisposed => _disposed;

    public IReadOnlyList<ScriptedRun> Runs
    {
        get
        {
            lock (_gate)
            {
                return [.. _runs];
            }
        }
    }

    /// <summary>The greedy reply to a prompt, worked out without cache or batch.</summary>
    public static int[] Reply(int[] prompt, int count, int vocabulary)
    {
        var tokens = prompt.ToList();
        for (var i = 0; i < count; i++)
        {
            var state = tokens.Aggregate(Seed, Fold);
            tokens.Add(Enumerable.Range(0, vocabulary).MaxBy(id => Logit(state, id)));
        }

        return [.. tokens[prompt.Length..]];
    }

    /// <summary>The logits after a prompt.</summary>
    public static float[] LogitsAfter(ReadOnlySpan<int> tokens, int vocabulary)
    {
        var state = Seed;
        foreach (var token in tokens)
        {
            state = Fold(state, token);
        }

        return [.. Enumerable.Range(0, vocabulary).Select(id => Logit(state, id))];
    }

    public void RunPrefill(int slot, int past, ReadOnlySpan<int> ids, LogitRows rows)
    {
        Begin(new ScriptedRun(0, IsPrefill: true, slot, past, ids.Length));
        for (var i = 0; i < ids.Length; i++)
        {
            Write(slot, past + i, ids[i]);
        }

        switch (rows)
        {
            case LogitRows.Last:
                Compute(row: 0, slot, past + ids.Length);
                break;
            case LogitRows.All:
                for (var i = 0; i < ids.Length; i++)
                {
                    Compute(i, slot, past + i + 1);
                }

                break;
        }
    }

    public void RunDecode(ReadOnlySpan<int> ids, ReadOnlySpan<int> past)
    {
        Begin(new ScriptedRun(0, IsPrefill: false, Slot: 0, past[0], ids.Length));
        for (var slot = 0; slot < ids.Length; slot++)
        {
            Write(slot, past[slot], ids[slot]);
            Compute(slot, slot, past[slot] + 1);
        }
    }

    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * shape.Vocabulary, shape.Vocabulary);

    public void Dispose() => _disposed = true;

    private void Begin(ScriptedRun run)
    {
        lock (_gate)
        {
            run = run with { Number = _runs.Count };
            _runs.Add(run);
        }

        Before?.Invoke(run);
    }

    private void Write(int slot, int position, int token)
    {
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            for (var head = 0; head < shape.KvHeads; head++)
            {
                *Place(cache.KeysOf(layer, slot), head, position) = token;
                *Place(cache.ValuesOf(layer, slot), head, position) = -token;
            }
        }
    }

    private void Compute(int row, int slot, int length)
    {
        var state = Seed;
        var last = -1;
        for (var position = 0; position < length; position++)
        {
            last = (int)*Place(cache.KeysOf(0, slot), head: 0, position);
            for (var layer = 0; layer < shape.Layers; layer++)
            {
                for (var head = 0; head < shape.KvHeads; head++)
                {
                    if (*Place(cache.KeysOf(layer, slot), head, position) != last || *Place(cache.ValuesOf(layer, slot), head, position) != -last)
                    {
                        throw new InvalidOperationException($"Slot {slot} holds different tokens at position {position}.");
                    }
                }
            }

            state = Fold(state, last);
        }

        for (var id = 0; id < shape.Vocabulary; id++)
        {
            _logits[(row * shape.Vocabulary) + id] = last == PoisonAfter ? float.NaN : Logit(state, id);
        }
    }

    private float* Place(nint memory, int head, int position) =>
        (float*)memory + ((((long)head * cache.Capacity) + position) * shape.HeadDim);

    private const ulong Seed = 0xCBF29CE484222325;

    private static ulong Fold(ulong state, int token) => (state ^ (uint)token) * 0x100000001B3;

    private static float Logit(ulong state, int id)
    {
        var mixed = Fold(Fold(state, id), id + 77);
        return (mixed >> 40) / (float)(1 << 24);
    }
}
