using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.MakeModel;
using LlmOs.Models;
using LlmOs.Models.Zoo;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LlmOs.Benchmarks;

/// <summary>
/// An import by file: seconds and peak memory for each shape, source and precision, beside the time that copying and hashing
/// the source's bytes takes in the same process. Every import runs in a process of its own, so that its peak is its own.
/// </summary>
internal static class ImportBenchmark
{
    /// <summary>Imports of a case; one is enough where each moves gigabytes.</summary>
    private const int Rounds = 3, RoundsOfLarge = 1;

    private const long LargeElements = 300_000_000;

    private const double MaxTimes = 1.3; // of the output, plus the largest tensor

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>What one import took.</summary>
    /// <param name="CopySeconds">Copying the source's bytes beside it and hashing them.</param>
    /// <param name="PeakBytes">The process's largest resident memory, less what it had before the import.</param>
    /// <param name="OutputBytes">Stored files and the serving graph.</param>
    private sealed record Sample(double Seconds, double CopySeconds, long PeakBytes, long OutputBytes);

    private sealed record Row(string Shape, string Source, string Precision, long LargestTensor, Sample[] Samples)
    {
        public double Seconds => Median(Samples.Select(s => s.Seconds));

        public double Ratio => Median(Samples.Select(s => s.Seconds / s.CopySeconds));

        public long Peak => Samples.Max(s => s.PeakBytes);

        public double Allowed => (MaxTimes * Samples[0].OutputBytes) + LargestTensor;
    }

    public static async Task RunAsync(string[] shapes, CancellationToken cancel)
    {
        List<Row> rows = [];
        foreach (var shape in shapes)
        {
            var folder = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
            try
            {
                var config = ModelShapes.All[shape];
                SafetensorsFolder.Write(config, Directory.CreateDirectory(Path.Combine(folder, "f32")).FullName, "f32");
                GgufFile.Write(config, Path.Combine(folder, "q4_0.gguf"), shape, "q4_0");
                foreach (var (source, precision) in new[] { ("f32", "f32"), ("f32", "f16"), ("f32", "int8"), ("f32", "int4"), ("q4_0.gguf", "f32"), ("q4_0.gguf", "int4") })
                {
                    var samples = new Sample[LlamaWeights.Of(config).Sum(t => t.Elements) < LargeElements ? Rounds : RoundsOfLarge];
                    for (var round = 0; round < samples.Length; round++)
                    {
                        samples[round] = await OnceInAProcessAsync(Path.Combine(folder, source), precision, cancel);
                    }

                    rows.Add(new Row(shape, source, precision, (long)config.Vocabulary * config.Hidden * sizeof(float), samples));
                    Console.WriteLine(Line(rows[^1]));
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        await SaveAsync(rows, cancel);
    }

    /// <summary>The child's part: one import of a source, then its figures as JSON on standard output.</summary>
    public static async Task OnceAsync(string source, string precision, CancellationToken cancel)
    {
        var data = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        try
        {
            var copy = await CopyAndHashAsync(source, Path.Combine(data, "copy"), cancel);
            var imports = Path.Combine(data, "imports");
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            builder.Services.AddInfrastructure(new LlmOsSettings { Data = Path.Combine(data, "llmos"), ImportDirs = [Path.GetDirectoryName(source)!, imports] }).AddModels();
            await using var app = builder.Build();
            await using (var db = await app.Services.GetRequiredService<IDbContextFactory<LlmOsDb>>().CreateDbContextAsync(cancel))
            {
                await db.Database.EnsureCreatedAsync(cancel);
            }

            var importer = app.Services.GetServices<JobKind>().Single(kind => kind.Word == "import");

            // A server that imports has run before: its code is compiled and its database open.
            var small = Directory.CreateDirectory(Path.Combine(imports, "small")).FullName;
            SafetensorsFolder.Write(ModelShapes.All["tiny"], small, "f32");
            await importer.RunAsync(new BenchmarkJob(new { source = $"file:{small}", name = "small", precision }, Directory.CreateDirectory(Path.Combine(data, "llmos", "scratch", "small")).FullName), cancel);
            var job = new BenchmarkJob(new { source = $"file:{source}", name = "m", precision }, Directory.CreateDirectory(Path.Combine(data, "llmos", "scratch", "job")).FullName);
            GC.Collect();
            var before = Status("VmRSS:");
            await File.WriteAllTextAsync("/proc/self/clear_refs", "5", cancel); // sets the peak back to what is resident now
            var began = Stopwatch.GetTimestamp();
            await importer.RunAsync(job, cancel);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var output = new DirectoryInfo(Path.Combine(data, "llmos")).EnumerateFiles("*", SearchOption.AllDirectories).Where(f => f.Extension != ".db").Sum(f => f.Length);
            Console.WriteLine(JsonSerializer.Serialize(new Sample(seconds, copy, Status("VmHWM:") - before, output)));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<Sample> OnceInAProcessAsync(string source, string precision, CancellationToken cancel)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(ImportBenchmark).Assembly.Location, "import-once", source, precision]) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("dotnet did not start.");
        var text = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return JsonSerializer.Deserialize<Sample>(text) ?? throw new InvalidOperationException($"The import of {source} gave no figures.");
    }

    private static async Task<double> CopyAndHashAsync(string source, string target, CancellationToken cancel)
    {
        var files = Directory.Exists(source) ? Directory.GetFiles(source) : [source];
        Directory.CreateDirectory(target);
        var began = Stopwatch.GetTimestamp();
        foreach (var file in files)
        {
            var copied = Path.Combine(target, Path.GetFileName(file));
            await using (var from = File.OpenRead(file))
            await using (var to = new FileStream(copied, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var buffer = new byte[1 << 20];
                int read;
                while ((read = await from.ReadAsync(buffer, cancel)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                    await to.WriteAsync(buffer.AsMemory(0, read), cancel);
                }

                to.Flush(flushToDisk: true); // an import's files are on the disk too when it ends
                _ = hash.GetHashAndReset();
            }
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Directory.Delete(target, recursive: true);
        return seconds;
    }

    /// <summary>A figure of the process in bytes.</summary>
    private static long Status(string key) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal))[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;

    private static async Task SaveAsync(List<Row> rows, CancellationToken cancel)
    {
        var date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var stem = Path.Combine(Directory.CreateDirectory(Path.Combine(Machine.Repository, "bench", "results")).FullName, $"import-{date}");
        var text = new StringBuilder()
            .AppendLine("# Import: seconds and peak memory").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"{date}, {Machine.Describe()}. Random weights of the shape; median of {Rounds} imports ({RoundsOfLarge} of the larger shapes), each in its own process after the import of a tiny model, which compiles the code. Ratio: to copying the source's bytes and hashing them, in the same process. Peak: largest resident memory beyond what the process had before; allowed are {MaxTimes} times the output (stored files and serving graph) plus the largest tensor in f32.").AppendLine()
            .AppendLine("| shape | source | precision | seconds | ratio to copy and hash | peak, MiB | allowed, MiB | output, MiB |").AppendLine("|---|---|---|---|---|---|---|---|");
        rows.ForEach(row => text.AppendLine(Line(row)));
        await File.WriteAllTextAsync(stem + ".md", text.ToString(), cancel);
        await File.WriteAllTextAsync(stem + ".json", JsonSerializer.Serialize(new { name = "import", date, machine = Machine.Describe(), rows }, Json) + "\n", cancel);
    }

    private static string Line(Row row) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {row.Shape} | {row.Source} | {row.Precision} | {row.Seconds:F1} | {row.Ratio:F2} | {row.Peak >> 20} | {row.Allowed / (1 << 20):F0} | {row.Samples[0].OutputBytes >> 20} |");

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private sealed class BenchmarkJob(object spec, string scratch) : JobContext
    {
        public override string Id => "job_bench";

        public override int Attempt => 1;

        public override JsonElement Spec { get; } = JsonSerializer.SerializeToElement(spec, Contracts.LlmOsJson.Options);

        public override string ScratchFolder => scratch;

        public override void Report(double progress, JobMessage message, IReadOnlyDictionary<string, double>? metrics = null, double? etaSeconds = null)
        {
        }
    }
}
