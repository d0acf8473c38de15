using System.ComponentModel.DataAnnotations;

namespace LlmOs.Engine;

/// <summary>Section <c>Engine</c> of the configuration.</summary>
public sealed class EngineOptions
{
    public const string Section = "Engine";

    /// <summary>Sequences that one model decodes together: slots of its KV cache.</summary>
    [Range(1, 256)]
    public int Slots { get; set; } = 16;

    /// <summary>Requests that may be in one model, besides as many as there are slots, before new ones are refused.</summary>
    [Range(0, 100_000)]
    public int MaxQueued { get; set; } = 512;

    /// <summary>The same for the requests of one caller.</summary>
    [Range(0, 100_000)]
    public int MaxQueuedPerCaller { get; set; } = 256;

    /// <summary>Tokens of a prompt that are run between two decode steps of the others.</summary>
    [Range(1, 4096)]
    public int PrefillChunk { get; set; } = 64;

    /// <summary>Seconds after which a step is given up; what is in it ends with an error.</summary>
    [Range(1, 86_400)]
    public int MaxStepSeconds { get; set; } = 300;

    /// <summary>Threads of the one pool that all models share; 0 takes one per physical core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Maximum tokens a slot holds; a model's own context may be shorter.</summary>
    [Range(16, 1_048_576)]
    public int MaxContext { get; set; } = 8192;

    /// <summary>Tokens a sequence may run ahead of its reader before it waits for it.</summary>
    [Range(1, 65_536)]
    public int PieceBuffer { get; set; } = 256;
}
