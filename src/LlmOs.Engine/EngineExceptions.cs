namespace LlmOs.Engine;

/// <summary>The device asked for cannot be used; the message says why and what to do.</summary>
public sealed class EngineDeviceException : Exception
{
    public EngineDeviceException(string message)
        : base(message)
    {
    }

    public EngineDeviceException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

/// <summary>The engine holds as many requests as it may; try again when some have ended.</summary>
/// <param name="ahead">Requests of all callers that it works on or that wait.</param>
/// <param name="own">Those of them that are the caller's.</param>
/// <param name="ofCaller">Whether the bound of one caller is reached, and not that of all.</param>
/// <param name="retryAfter">When a place may be free.</param>
public sealed class EngineBusyException(int ahead, int own, bool ofCaller, TimeSpan retryAfter)
    : Exception(ofCaller
        ? $"The model already works on {own} requests of this caller, or they wait, which is as many as one caller may have. Send fewer at a time, or raise Engine:MaxQueuedPerCaller."
        : $"The model already works on {ahead} requests, or they wait, which is as many as may be. Try again later, or raise Engine:Slots or Engine:MaxQueued.")
{
    public int Ahead { get; } = ahead;

    public int Own { get; } = own;

    public bool OfCaller { get; } = ofCaller;

    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>The engine was disposed of, or its loop ended by a fault, before or while the sequence ran.</summary>
public sealed class EngineClosedException : Exception
{
    public EngineClosedException(string message)
        : base(message)
    {
    }

    public EngineClosedException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

/// <summary>A step of the model failed; the sequences that took part in it end with this, the others go on.</summary>
public sealed class EngineStepException : Exception
{
    public EngineStepException(string message)
        : base(message)
    {
    }

    public EngineStepException(string message, Exception cause)
        : base(message, cause)
    {
    }

    internal static EngineStepException From(Exception fault) =>
        fault as EngineStepException ?? new EngineStepException($"The model failed in a step: {fault.Message}", fault);
}

/// <summary>The rules of a request leave no token to choose; the sequence ends with this, and nobody else notices.</summary>
public sealed class EngineChoiceException(string message) : Exception(message);

/// <summary>The graph is not a decoder of the shape stated; the message names what differs.</summary>
public sealed class EngineGraphException : Exception
{
    public EngineGraphException(string message)
        : base(message)
    {
    }

    public EngineGraphException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

/// <summary>The machine does not give the memory that a model's cache needs.</summary>
public sealed class EngineMemoryException(string message, Exception cause) : Exception(message, cause);
