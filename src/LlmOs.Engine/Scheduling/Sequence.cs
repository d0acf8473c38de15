using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling;

/// <summary>Where a sequence stands.</summary>
internal enum SequenceState
{
    /// <summary>Has no slot.</summary>
    Waiting,

    /// <summary>Its prompt is being run, a chunk at a time.</summary>
    Prompt,

    /// <summary>Takes part in every decode step.</summary>
    Running,

    /// <summary>Keeps its slot but waits for its reader.</summary>
    Paused,

    /// <summary>Keeps a slot and waits for its group's first member, which runs the prompt.</summary>
    Held,

    /// <summary>Has no slot any more.</summary>
    Ended,
}

/// <summary>One submitted sequence as the loop's thread sees it; no other thread touches it.</summary>
/// <remarks>
/// Exactly one is set of <see cref="Output"/> (a generation), <see cref="Logits"/> (all logits of a prompt) and <see cref="Group"/> (a beam).
/// </remarks>
internal sealed class Sequence
{
    private Sequence(int[] tokens, int[] source, EngineRun run, float[]? logits, int maxNew)
    {
        Tokens = tokens;
        Source = source;
        Run = run;
        Logits = logits;
        MaxNew = maxNew;
    }

    /// <summary>The prompt.</summary>
    public int[] Tokens { get; }

    /// <summary>What the encoder reads before the prompt is run; empty for a decoder.</summary>
    public int[] Source { get; }

    /// <summary>What was submitted, as its caller sees it.</summary>
    public EngineRun Run { get; }

    public EngineSequence? Output => Run as EngineSequence;

    /// <summary>The beam search that this one is a beam of.</summary>
    public BeamGroup? Group { get; private init; }

    /// <summary>Slots that it takes at once.</summary>
    public int Width => Group?.Members.Length ?? 1;

    /// <summary>Whether keys and values of its prompt may come from, and serve, other sequences: with a source they depend on more than the prompt.</summary>
    public bool SharesPrefix => Source.Length == 0;

    /// <summary>[tokens, vocabulary] row-major, to be filled.</summary>
    public float[]? Logits { get; }

    /// <summary>Most new tokens, already cut to the room in the context.</summary>
    public int MaxNew { get; }

    public SequenceState State { get; set; }

    /// <summary>Slot in the cache, or -1.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens whose keys and values are in the slot.</summary>
    public int Past { get; set; }

    /// <summary>Prompt tokens that came from the cache.</summary>
    public int Cached { get; set; }

    public int NewTokens { get; set; }

    /// <summary>The token that the next decode step runs.</summary>
    public int LastToken { get; set; }

    /// <summary>How this sequence's tokens are chosen.</summary>
    public TokenChoice? Choice { get; private init; }

    public static Sequence Generation(EngineSequence output, TokenChoice choice, int maxNew)
    {
        choice.MaxTokens = maxNew;
        return new(output.Request.PromptTokens, output.Request.SourceTokens, output, logits: null, maxNew) { Choice = choice };
    }

    public static Sequence AllLogits(int[] tokens, int[] source, EngineRun<float[]> run, float[] logits) => new(tokens, source, run, logits, maxNew: 0);

    public static Sequence OfBeam(GenerationRequest request, BeamGroup group, int maxNew) =>
        new(request.PromptTokens, request.SourceTokens, group.Run, logits: null, maxNew) { Group = group };
}
