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

    /// <summary>Has no slot any more.</summary>
    Ended,
}

/// <summary>One submitted sequence as the loop's thread sees it; no other thread touches it.</summary>
/// <remarks>
/// Either <see cref="Output"/> is set (a generation) or <see cref="Logits"/> (all logits of a prompt).
/// </remarks>
internal sealed class Sequence
{
    private Sequence(int[] tokens, EngineSequence? output, LogitsRequest? logits, int maxNew)
    {
        Tokens = tokens;
        Output = output;
        Logits = logits;
        MaxNew = maxNew;
    }

    /// <summary>The prompt.</summary>
    public int[] Tokens { get; }

    public EngineSequence? Output { get; }

    public LogitsRequest? Logits { get; }

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

    public static Sequence Generation(EngineSequence output, TokenChoice choice, int maxNew) =>
        new(output.Request.PromptTokens, output, logits: null, maxNew) { Choice = choice };

    public static Sequence AllLogits(int[] tokens, LogitsRequest request) => new(tokens, output: null, request, maxNew: 0);
}

/// <summary>A caller who waits for the logits of a whole prompt.</summary>
/// <param name="Result">[tokens, vocabulary] row-major.</param>
internal sealed record LogitsRequest(float[] Result)
{
    // Continuations of the caller must not run on the loop's thread.
    public TaskCompletionSource<float[]> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
