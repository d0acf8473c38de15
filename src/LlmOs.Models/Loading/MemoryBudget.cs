using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Loading;

/// <summary>The memory that loaded models may take together, what one of them takes, and the refusal of what can never fit.</summary>
internal sealed class MemoryBudget(IOptions<ServingOptions> options, IOptions<EngineOptions> engine)
{
    public long Bytes { get; } = options.Value.MemoryMiB > 0
        ? (long)options.Value.MemoryMiB << 20
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    /// <summary>What a model takes as this server would load it: the one place that asks the engine's options.</summary>
    /// <param name="precision">As it is asked for (<c>int8</c>).</param>
    /// <param name="context">Tokens a slot holds; null for the engine's own bound.</param>
    /// <param name="slots">Sequences that decode together; null for the engine's own number.</param>
    public MemoryEstimate Estimate(Architecture architecture, ModelConfig config, string precision, int? context = null, int? slots = null) =>
        MemoryEstimate.Of(architecture, config, Precisions.OfGraph(precision), context ?? engine.Value.MaxContext, slots ?? engine.Value.Slots, engine.Value.PrefillChunk);

    /// <exception cref="LlmOsException">out_of_memory, with need and have.</exception>
    public void Check(MemoryEstimate need)
    {
        if (need.Total > Bytes)
        {
            throw TooLarge(need.Total, $" ({MiB(need.Weights)} weights, {MiB(need.Cache)} keys and values, {MiB(need.Activations)} working values)");
        }
    }

    public LlmOsException TooLarge(long needed, string parts = "") =>
        new(ErrorCode.OutOfMemory, $"The model needs {MiB(needed)}{parts}; all models together may take {MiB(Bytes)}.")
        {
            Hint = "Import it at int8 or int4, lower Engine:Slots or Engine:MaxContext, or raise Serving:MemoryMiB.",
        };

    private static string MiB(long bytes) => $"{(bytes + (1 << 20) - 1) >> 20} MiB";
}
