using System.Text;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Import.Adapters;
using LlmOs.Models.Import.Gguf;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Import;

/// <summary>
/// Turns what a source gives, a folder or a file of any kind that is read, into files in the published layout. What must be
/// converted or unpacked is written into a scratch folder; the caller deletes that when the files are stored.
/// </summary>
internal static class SourceLayout
{
    private const string GgufEnd = ".gguf";

    /// <param name="source">A folder in Hugging Face layout, of a PEFT adapter, or with one GGUF model; a GGUF file; or an archive of any.</param>
    /// <param name="place">The real place of a file of the source; refuses one that may not be read.</param>
    /// <param name="parent">What an adapter is merged into; null where the source must be a model by itself.</param>
    /// <param name="half">Whether weights are to be stored as f16.</param>
    /// <param name="scratch">An existing, empty folder.</param>
    /// <param name="report">Told the share done, from 0 to 1, and what comes next.</param>
    /// <exception cref="ModelFormatException">It is none of these.</exception>
    /// <exception cref="LlmOsException">An archive is refused.</exception>
    public static async Task<IReadOnlyList<LayoutFile>> ReadAsync(
        string source, Func<string, string> place, AdapterBase? parent, bool half, string scratch, Action<double, JobMessage> report, CancellationToken cancel)
    {
        if (!Directory.Exists(source) && ArchiveUnpacker.IsArchive(source))
        {
            report(0, ImportCodes.UnpackingArchive);
            var unpacked = Directory.CreateDirectory(Path.Combine(scratch, "archive")).FullName;
            await ArchiveUnpacker.UnpackAsync(source, unpacked, new ArchiveLimits(), cancel);
            source = RootOf(unpacked);
            place = file => file; // no links come out of an archive
        }

        AdapterFolder.CheckBase(source, place, isNamed: parent is not null);
        if (parent is not null)
        {
            return AdapterFolder.Merge(
                source, place, parent, half ? TensorType.F16 : TensorType.F32, scratch, share => report(share, ImportCodes.MergingAdapter.With(("base", parent.Reference))), cancel);
        }

        var path = Directory.Exists(source) ? GgufIn(source) : source;
        if (path is null)
        {
            var files = ModelFolder.List(source).Select(f => f with { Location = place(f.Location), MayMove = IsBeneath(f.Location, scratch) }).ToList();
            return half ? ToHalf(files, scratch, report, cancel) : files;
        }

        CheckKind(path);
        report(0, ImportCodes.ReadingGguf);
        var converted = Directory.CreateDirectory(Path.Combine(scratch, "converted")).FullName;
        using (var gguf = OpenGguf(path, place))
        {
            GgufFolder.Write(gguf, half, converted, share => report(share, ImportCodes.ConvertingWeights), cancel);
        }

        return [.. ModelFolder.List(converted).Select(f => f with { MayMove = true })];
    }

    /// <summary>The configuration of a source, from its headers alone; null for an archive, which must be unpacked first.</summary>
    /// <param name="place">The real place of a file of the source; refuses one that may not be read.</param>
    public static ConfigJson? ReadConfig(string source, Func<string, string> place)
    {
        if (!Directory.Exists(source) && ArchiveUnpacker.IsArchive(source))
        {
            return null;
        }

        if ((Directory.Exists(source) ? GgufIn(source) : source) is not { } path)
        {
            // What a graph of another exporter takes is known when it is loaded.
            return ModelFolder.HasWeights(source) || !OnnxLayout.IsIn(source) ? ModelFolder.ReadConfig(place(Path.Combine(source, ModelFolder.ConfigFile))) : null;
        }

        CheckKind(path);
        using var gguf = OpenGguf(path, place);
        var layout = GgufLayouts.Of(gguf.Metadata);
        return ConfigJson.Parse(Encoding.UTF8.GetBytes(layout.Config(new GgufModel(gguf, layout.Architecture)).ToJsonString()), ModelFolder.ConfigFile);
    }

    /// <summary>Bytes that taking a source writes before its graph is built; 0 for an archive, whose unpacking counts for itself.</summary>
    /// <param name="place">The real place of a file of the source; refuses one that may not be read.</param>
    /// <param name="isOurs">Whether files of the source are moved rather than copied.</param>
    public static long BytesWritten(string source, Func<string, string> place, AdapterBase? parent, bool half, bool isOurs)
    {
        if (!Directory.Exists(source) && ArchiveUnpacker.IsArchive(source))
        {
            return 0;
        }

        if (parent is not null)
        {
            return parent.Files.Sum(f => new FileInfo(f.Location).Length);
        }

        if ((Directory.Exists(source) ? GgufIn(source) : source) is { } path)
        {
            CheckKind(path);
            using var gguf = OpenGguf(path, place);
            return gguf.Tensors.Sum(t => t.Elements) * (half ? sizeof(ushort) : sizeof(float));
        }

        return isOurs && !half ? 0 : ModelFolder.List(source).Sum(f => new FileInfo(place(f.Location)).Length);
    }

    private static GgufFile OpenGguf(string path, Func<string, string> place) =>
        GgufFile.Open([.. GgufFolder.PartsOf(path).Select(part => (part.Name, place(part.Path)))]);

    /// <summary>Refuses a file that is neither a GGUF file by its name nor an archive by its first bytes.</summary>
    public static void CheckKind(string path)
    {
        if (File.Exists(path) && !path.EndsWith(GgufEnd, StringComparison.OrdinalIgnoreCase) && !ArchiveUnpacker.IsArchive(path))
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"'{ModelName.Shorten(Path.GetFileName(path))}' is of no kind that is read. Expected: a folder in Hugging Face layout, a .gguf file, or a zip, tar or tar.gz of either.") { Field = "source" };
        }
    }

    /// <summary>The one GGUF model of a folder without a config.json, or null.</summary>
    private static string? GgufIn(string folder)
    {
        if (File.Exists(Path.Combine(folder, ModelFolder.ConfigFile)))
        {
            return null;
        }

        var models = Directory.GetFiles(folder, "*" + GgufEnd).Where(f => !GgufFolder.IsLaterPart(Path.GetFileName(f))).Order(StringComparer.Ordinal).ToList();
        return models.Count <= 1
            ? models.FirstOrDefault()
            : throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The folder holds {models.Count} GGUF models ({string.Join(", ", models.Take(8).Select(Path.GetFileName))}). Name one of them as the source.");
    }

    /// <summary>Archives often hold one folder with everything in it.</summary>
    private static string RootOf(string unpacked)
    {
        var root = unpacked;
        while (Directory.GetFiles(root).Length == 0 && Directory.GetDirectories(root) is [var only])
        {
            root = only;
        }

        return root;
    }

    private static bool IsBeneath(string path, string folder) => path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The same files with the weights rounded to f16; as they are where they are f16 already.</summary>
    private static List<LayoutFile> ToHalf(List<LayoutFile> files, string scratch, Action<double, JobMessage> report, CancellationToken cancel)
    {
        ModelFolder.Check(files);
        using var weights = ModelFolder.OpenWeights(files);
        if (weights.Tensors.All(t => t.Type is not (TensorType.F32 or TensorType.BF16)))
        {
            return files;
        }

        var folder = Directory.CreateDirectory(Path.Combine(scratch, "half")).FullName;
        var path = Path.Combine(folder, ModelFolder.WeightsFile);
        WeightCopy.Write(new FloatWeights(weights), TensorType.F16, path, share => report(share, ImportCodes.RoundingWeights.With(("precision", Precisions.Half))), cancel);
        return
        [
            .. files
                .Where(f => f.Path != ModelFolder.IndexFile && !ModelFolder.IsWeights(f.Path))
                .Select(f => f.Path == ModelFolder.ConfigFile ? StoredType.Write(f, TensorType.F16, folder) : f),
            new LayoutFile(ModelFolder.WeightsFile, path) { MayMove = true },
        ];
    }

    /// <summary>The floating tensors alone: buffers of whole numbers are not weights.</summary>
    private sealed class FloatWeights(IWeightSource inner) : IWeightSource
    {
        public IReadOnlyCollection<TensorInfo> Tensors { get; } = [.. inner.Tensors.Where(t => t.IsFloating)];

        public IReadOnlyDictionary<string, string> Aliases => inner.Aliases;

        public TensorInfo? Find(string name) => Tensors.FirstOrDefault(t => t.Name == name);

        public void Read(string name, long offset, Span<float> destination) => inner.Read(name, offset, destination);
    }
}
