using LlmOs.Formats;
using LlmOs.Formats.Onnx;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo.Onnx;

namespace LlmOs.Models.Import;

/// <summary>A folder as Optimum and sentence-transformers export it: <c>model.onnx</c>, there or in <c>onnx/</c>, its weights beside it.</summary>
internal static class OnnxLayout
{
    private const string End = ".onnx", Folder = "onnx/";

    private static readonly string[] Graphs = ["model.onnx", Folder + "model.onnx"];

    /// <summary>The graph of a folder and the files of weights that it names; empty where there is no graph at all.</summary>
    /// <exception cref="ModelFormatException">There are graphs, but none that is read.</exception>
    public static IReadOnlyList<string> FilesIn(string folder)
    {
        if (Array.Find(Graphs, name => File.Exists(Path.Combine(folder, name))) is not { } graph)
        {
            var other = AllIn(folder).Order(StringComparer.Ordinal).Select(Path.GetFileName).FirstOrDefault();
            return other is null ? [] : throw new ModelFormatException(
                ModelFormatProblem.UnsupportedFormat,
                $"The folder holds the graph '{ModelName.Shorten(other)}'. Of other exporters' graphs, encoders in {string.Join(" or ", Graphs)} are read; decoders keep their cache in a form that is not the engine's. Import the model's safetensors instead; the graph is then made here.");
        }

        using var file = OnnxFile.Open(Path.Combine(folder, graph), graph);
        var external = file.ExternalFiles.Order(StringComparer.Ordinal).Select(name => Beside(graph, name)).ToList();
        return external.Find(name => !File.Exists(Path.Combine(folder, name))) is { } absent
            ? throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{graph} names the weights '{absent}', which are not there.")
            : [graph, .. external];
    }

    /// <summary>The graph among a model's files, or null.</summary>
    public static LayoutGraph? GraphOf(IReadOnlyList<LayoutFile> files)
    {
        if (files.FirstOrDefault(f => Graphs.Contains(f.Path)) is not { } graph)
        {
            return null;
        }

        var folder = graph.Path[..^"model.onnx".Length];
        return new LayoutGraph(graph.Path, graph.Location, files
            .Where(f => f != graph && !ModelFolder.IsCompanion(f.Path) && f.Path.StartsWith(folder, StringComparison.Ordinal) && !f.Path[folder.Length..].Contains('/'))
            .ToDictionary(f => f.Path[folder.Length..], f => f.Location, StringComparer.Ordinal));
    }

    /// <summary>Whether there is a graph of any kind in a folder.</summary>
    public static bool IsIn(string folder) => AllIn(folder).Any();

    private static IEnumerable<string> AllIn(string folder) =>
        Directory.EnumerateFiles(folder, "*" + End, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 });

    /// <summary>Of a repository's paths, the graph that would be read and the weights that exporters write beside it; empty where there is none.</summary>
    public static IReadOnlyList<string> FilesAmong(IReadOnlyCollection<string> paths) =>
        Array.Find(Graphs, paths.Contains) is { } graph ? [graph, .. paths.Where(path => path.Length > graph.Length && path.StartsWith(graph, StringComparison.Ordinal) && path[graph.Length] is ('_' or '.'))] : [];

    /// <summary>Whether a path is a graph's.</summary>
    public static bool IsGraph(string path) => Graphs.Contains(path);

    /// <summary>The path of a file that lies beside a graph.</summary>
    public static string Beside(string graph, string name) => graph[..^"model.onnx".Length] + name;
}
