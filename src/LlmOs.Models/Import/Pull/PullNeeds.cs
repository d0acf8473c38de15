using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Import.Pull;

/// <summary>What a model will take, as far as the length of its weights tells before they are here.</summary>
/// <param name="Disk">Bytes beside the download: the graph that is built from it.</param>
/// <param name="Memory">Bytes of the weights once they are loaded.</param>
internal sealed record PullNeeds(long Disk, long Memory)
{
    /// <param name="weightBytes">Of the weight files.</param>
    /// <param name="storedType"><c>torch_dtype</c> of the configuration; null where it is not stated.</param>
    /// <param name="precision">What was asked for; null means f32.</param>
    public static PullNeeds Of(long weightBytes, string? storedType, string? precision)
    {
        var stored = storedType switch { "float32" => 4.0, "float64" => 8, "float8_e4m3fn" => 1, _ => 2 };
        var served = precision switch { "int4" => 0.6, "int8" => 1.1, "f16" => 2, _ => 4 }; // bytes a weight, scales included
        var bytes = (long)(weightBytes / stored * served);
        return new PullNeeds(bytes, bytes);
    }

    /// <exception cref="LlmOsException">The machine has less memory than the weights alone take.</exception>
    public void RequireMemory(long have)
    {
        if (Memory > have)
        {
            throw new LlmOsException(ErrorCode.OutOfMemory, $"The weights will take {DiskSpace.Show(Memory)} of memory; this machine has {DiskSpace.Show(have)}.")
            {
                Hint = "Take a smaller precision (int8, int4), a smaller model, or a machine with more memory.",
            };
        }
    }
}
