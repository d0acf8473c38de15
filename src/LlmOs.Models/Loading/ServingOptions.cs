using System.ComponentModel.DataAnnotations;

namespace LlmOs.Models.Loading;

/// <summary>Section <c>Serving</c> of the configuration.</summary>
public sealed class ServingOptions
{
    public const string Section = "Serving";

    /// <summary>Memory that loaded models may take together, in MiB; 0 takes half of what the process may use.</summary>
    [Range(0, 1 << 24)]
    public int MemoryMiB { get; set; }

    /// <summary>Seconds that a model stays loaded while nobody uses it, where a request does not say; -1: until its memory is needed.</summary>
    [Range(-1.0, KeepAlive.MaxSeconds)]
    public double KeepAliveSeconds { get; set; } = -1;

    /// <summary>Seconds that a request for texts may take, waiting among it, where it does not say; 0: as long as it takes. Jobs are not bound.</summary>
    [Range(0.0, 86_400.0)]
    public double TimeoutSeconds { get; set; }

    /// <summary>Sequences of one request that are generated at a time; the others of it wait.</summary>
    [Range(1, 256)]
    public int SequencesPerRequest { get; set; } = 16;

    /// <summary>The model that pipelines take when the request names none.</summary>
    [Required]
    public string PipelineModel { get; set; } = "starter";
}
