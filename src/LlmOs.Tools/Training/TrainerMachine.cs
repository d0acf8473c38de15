using System.Runtime.Intrinsics.X86;
using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>What this machine offers a training.</summary>
internal static class TrainerMachine
{
    /// <param name="folder">Where the training will write.</param>
    /// <param name="textBytes">Size of its text.</param>
    public static TrainingFacts Facts(string folder, long textBytes, DecoderSizes? baseSizes, int? storedVocabulary) => new(
        Environment.ProcessorCount,
        HasNarrowMatrices(),
        AvailableMemory(),
        new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace,
        textBytes,
        baseSizes,
        storedVocabulary);

    /// <summary>AVX512_BF16 (CPUID leaf 7, subleaf 1, EAX bit 5) where the system keeps the 512-bit registers.</summary>
    private static bool HasNarrowMatrices() =>
        Avx512F.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>Bytes that can be had without swapping, within the limits of a container; null where the system does not say.</summary>
    public static long? AvailableMemory()
    {
        const string Info = "/proc/meminfo";
        if (!File.Exists(Info))
        {
            return null;
        }

        var line = File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return line is null ? limit : Math.Min(limit, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) << 10);
    }
}
