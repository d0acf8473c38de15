using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>An encoder whose result for a text is the text: its ids, and the length it was padded to.</summary>
internal sealed class ScriptedEncoder : IEncoderRunner
{
    public static readonly EncoderShape Shape = new(Hidden: 1, Vocabulary: 1000, MaxTokens: 64, EncoderHead.None, Labels: 0, HasTypes: false, HasPooler: false, PadToken: 0);

    private readonly Lock _gate = new();
    private readonly List<IReadOnlyList<EncoderText>> _batches = [];

    /// <summary>Called on the loop's thread before each batch; may block or throw.</summary>
    public Action<IReadOnlyList<EncoderText>>? Before { get; set; }

    public bool IsDisposed { get; private set; }

    public IReadOnlyList<IReadOnlyList<EncoderText>> Batches
    {
        get
        {
            lock (_gate)
            {
                return [.. _batches];
            }
        }
    }

    public int PaddedLength(int tokens) => (tokens + 7) / 8 * 8;

    public float[][] Run(IReadOnlyList<EncoderText> texts, int length, EncoderOutput wanted)
    {
        lock (_gate)
        {
            _batches.Add(texts);
        }

        Before?.Invoke(texts);
        return [.. texts.Select(text => Result(text.Ids))];
    }

    public void Dispose() => IsDisposed = true;

    public static float[] Result(int[] ids) => [.. ids.Select(id => (float)id), (ids.Length + 7) / 8 * 8];
}
