namespace LlmOs.Engine;

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

    private sealed class Silent : IEngineObserver;
}
