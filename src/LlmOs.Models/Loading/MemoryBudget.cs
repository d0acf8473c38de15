using LlmOs.Contracts;
using LlmOs.Infrastructure;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Loading;

/// <summary>The memory that loaded models may take together, and the refusal of what can never fit.</summary>
internal sealed class MemoryBudget(IOptions<ServingOptions> options)
{
    public long Bytes { get; } = options.Value.MemoryMiB > 0
        ? (long)options.Value.MemoryMiB << 20
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

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
