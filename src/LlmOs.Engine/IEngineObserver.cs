namespace LlmOs.Engine;

/// <summary>How a run ended, in vLLM's words.</summary>
public enum RunOutcome
{
    /// <summary>With an end token or a stop text, or with a result that is not a reply.</summary>
    Stop,

    /// <summary>With as many tokens as it might have.</summary>
    Length,

    /// <summary>Its caller left.</summary>
    Abort,

    /// <summary>By a fault.</summary>
    Error,
}

/// <summary>Is told what an engine's operator must know. Called on the loop's thread, so it returns at once and throws nothing.</summary>
public interface IEngineObserver
{
    /// <summary>Nobody looks.</summary>
    static IEngineObserver None { get; } = new Silent();

    /// <summary>A step failed, or the loop itself did.</summary>
    /// <param name="ended">Requests that ended by it.</param>
    void Failed(Exception fault, int ended)
    {
    }

    /// <summary>The runtime was opened anew after a fault.</summary>
    void Rebuilt(TimeSpan took)
    {
    }

    /// <summary>The engine could not go on and has closed; it must be loaded again.</summary>
    void Closed(Exception fault)
    {
    }

    /// <summary>A turn of the loop ran the model.</summary>
    /// <param name="sequences">Sequences in it.</param>
    /// <param name="tokens">Tokens that were run, of prompts and replies.</param>
    void Stepped(int sequences, int tokens)
    {
    }

    /// <summary>A prompt was read to its end.</summary>
    /// <param name="cached">Those of its tokens whose keys and values were already there.</param>
    void PromptRead(int tokens, int cached)
    {
    }

    /// <summary>A run chose its first tokens.</summary>
    void FirstToken(int tokens, TimeSpan sinceSubmitted)
    {
    }

    /// <summary>A run chose further tokens.</summary>
    void NextToken(int tokens, TimeSpan sinceLast)
    {
    }

    /// <summary>Requests gave their slots up for others, to go on later.</summary>
    void Preempted(int count)
    {
    }

    /// <summary>A run ended. Told before its caller learns of it.</summary>
    void Ended(EngineUsage usage, RunOutcome outcome)
    {
    }

    /// <summary>Whichever device there is was asked for, the build carries CUDA, and no card can be used: the model runs on the processor.</summary>
    /// <remarks>Called where the engine is loaded.</remarks>
    void CardNotUsed(Exception reason)
    {
    }

    private sealed class Silent : IEngineObserver;
}
