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

/// <summary>The engine holds as many sequences as it may; try again when some have ended.</summary>
public sealed class EngineBusyException(int slots, int maxQueued)
    : Exception($"The model already runs or queues {slots + maxQueued} sequences ({slots} slots, {maxQueued} waiting places). Try again later, or raise Engine:Slots or Engine:MaxQueued.")
{
    /// <summary>Sequences that decode together.</summary>
    public int Slots { get; } = slots;

    /// <summary>Sequences that may wait.</summary>
    public int MaxQueued { get; } = maxQueued;
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

    internal static EngineStepException From(Exception fault) => new($"The model failed in a step: {fault.Message}", fault);
}

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
