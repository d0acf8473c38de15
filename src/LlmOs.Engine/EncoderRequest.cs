namespace LlmOs.Engine;

/// <summary>The texts of one caller. All but <see cref="Run"/> is guarded by the loop's gate.</summary>
internal sealed class EncoderRequest
{
    private readonly float[][] _results;
    private int _missing;
    private int _tokens;

    /// <param name="cancel">Given the request.</param>
    public EncoderRequest(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, Action<EncoderRequest> cancel, TimeProvider clock)
    {
        (Texts, Wanted, _missing) = (texts, wanted, texts.Count);
        _results = new float[texts.Count][];
        Run = new EngineRun<float[][]>(() => _results, () => cancel(this), clock);
    }

    public IReadOnlyList<EncoderText> Texts { get; }

    public EncoderOutput Wanted { get; }

    public EngineRun<float[][]> Run { get; }

    /// <summary>Whether a text of it is in the batch that runs now.</summary>
    public bool IsInBatch { get; set; }

    /// <summary>Whether it was given up while in a batch.</summary>
    public bool IsCancelled { get; set; }

    public bool HasEnded { get; private set; }

    public bool IsDone => _missing == 0;

    private bool HasStarted { get; set; }

    public void NoteInBatch()
    {
        IsInBatch = true;
        if (!HasStarted)
        {
            HasStarted = true;
            Run.Meter.NoteStarted();
        }
    }

    public void Set(int index, float[] result)
    {
        _results[index] = result;
        _missing--;
        _tokens += Texts[index].Ids.Length;
        Run.Meter.NotePrompt(_tokens, cached: 0);
    }

    public void End(Exception? fault)
    {
        HasEnded = true;
        Run.End(fault);
    }
}
