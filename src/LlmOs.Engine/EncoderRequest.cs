using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>The texts of one caller. For the loop's thread.</summary>
internal sealed class EncoderRequest : IWork
{
    private readonly float[][] _results;
    private readonly EngineRun<float[][]> _run;
    private int _missing;
    private int _tokens;
    private bool _started;

    public EncoderRequest(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, EngineCaller caller, TimeProvider clock)
    {
        (Texts, Wanted, Caller, _missing) = (texts, wanted, caller, texts.Count);
        _results = new float[texts.Count][];
        _run = new EngineRun<float[][]>(() => _results, clock);
    }

    public IReadOnlyList<EncoderText> Texts { get; }

    public EncoderOutput Wanted { get; }

    public EngineCaller Caller { get; }

    public int Width => 1;

    public EngineRun<float[][]> Results => _run;

    public EngineRun Run => _run;

    public bool HasEnded { get; private set; }

    public bool IsDone => _missing == 0;

    /// <summary>Notes that a text of it is in the batch that runs now.</summary>
    public void NoteInBatch()
    {
        if (!_started)
        {
            _started = true;
            Run.Meter.NoteStarted();
        }
    }

    public void Set(int index, float[] result)
    {
        _results[index] = result;
        _missing--;
        _tokens += Texts[index].Ids.Length;
        Run.Meter.NotePrompt(_tokens, cached: 0);
        if (IsDone)
        {
            Run.Meter.NotePromptRead();
        }
    }

    public void NoteEnded() => HasEnded = true;
}
