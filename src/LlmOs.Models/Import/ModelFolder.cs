using System.Text.RegularExpressions;
using LlmOs.Formats;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Models.Import.Adapters;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;
using LlmOs.Models.Zoo.Onnx;

namespace LlmOs.Models.Import;

/// <summary>A file of a model: its path in the published layout, and where its content lies.</summary>
public sealed record LayoutFile(string Path, string Location)
{
    /// <summary>Whether it was made for this import and may be moved into the store instead of copied.</summary>
    public bool MayMove { get; init; }
}

/// <summary>
/// A model in Hugging Face layout, checked: its configuration is of an architecture that can be served, and its weights are
/// those that the configuration needs. The files may lie in a folder or, each under its hash, in the store.
/// </summary>
internal sealed partial record ModelFolder(
    IReadOnlyList<LayoutFile> Files,
    Architecture Architecture,
    ModelConfig Config,
    long Parameters,
    string? License)
{
    public const string ConfigFile = "config.json";
    public const string IndexFile = "model.safetensors.index.json";
    public const string WeightsFile = "model.safetensors";

    private const string TemplatesFolder = "additional_chat_templates";
    private const int MaxTemplates = 32;

    /// <summary>Bytes; a vocabulary of a million tokens stays below.</summary>
    private const long MaxTextBytes = 256L << 20;

    /// <summary>Files that are kept beside the weights when they are there.</summary>
    private static readonly string[] Companions =
    [
        "generation_config.json", .. TokenizerFolder.Names, "chat_template.jinja", "chat_template.json",
        SentenceLayoutReader.ModulesFile, SentenceLayoutReader.LimitFile, SentenceLayoutReader.PromptFile, "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md",
    ];

    /// <summary>Weights in forms that are not read, named so that the refusal can say what was found.</summary>
    private static readonly string[] OtherWeights =
        ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth", "tf_model.h5", "flax_model.msgpack"];

    /// <summary>The weight files, in the order of their names.</summary>
    public IEnumerable<LayoutFile> WeightFiles => Files.Where(f => IsWeights(f.Path));

    /// <summary>Whether a file holds weights of the model itself; modules behind it have theirs in folders of their own.</summary>
    public static bool IsWeights(string path) => path.EndsWith(".safetensors", StringComparison.Ordinal) && !path.Contains('/', StringComparison.Ordinal);

    /// <summary>Finds a model's files in a folder. Nothing else in it is looked at.</summary>
    /// <exception cref="ModelFormatException">It is not a model in this layout; the message says what is missing.</exception>
    public static IReadOnlyList<LayoutFile> List(string folder)
    {
        if (!File.Exists(Path.Combine(folder, ConfigFile)))
        {
            throw NoConfig(folder);
        }

        string[] names = [ConfigFile, .. WeightNames(folder), .. Companions.Where(name => File.Exists(Path.Combine(folder, name))), .. ModuleFiles(folder), .. MoreTemplates(folder)];
        return [.. names.Select(name => new LayoutFile(name, Path.Combine(folder, name)))];
    }

    /// <summary>The configuration alone.</summary>
    /// <param name="path">A config.json.</param>
    /// <exception cref="ModelFormatException">There is none, or it is none.</exception>
    public static ConfigJson ReadConfig(string path) =>
        File.Exists(path) ? ReadJson([new LayoutFile(ConfigFile, path)], ConfigFile)! : throw NoConfig(Path.GetDirectoryName(path)!);

    private static ModelFormatException NoConfig(string folder) => AdapterFolder.IsIn(folder)
        ? new ModelFormatException(ModelFormatProblem.UnsupportedFormat, "The folder is a PEFT adapter, which takes the memory of its base model: ask for that.")
        : new ModelFormatException(ModelFormatProblem.MissingFile, "The folder has no config.json. Expected is a model in Hugging Face layout: config.json, model.safetensors and, for text, tokenizer.json.");

    /// <summary>Reads and checks the files; weights are checked by their headers.</summary>
    /// <exception cref="ModelFormatException">They contradict each other, or need what is not implemented.</exception>
    public static ModelFolder Check(IReadOnlyList<LayoutFile> files)
    {
        foreach (var file in files)
        {
            LfsPointer.RefuseFile(file.Location, file.Path);
        }

        var json = ReadJson(files, ConfigFile)!;
        var architecture = ArchitectureOf(json, files);
        var config = architecture.ReadConfig(json);
        foreach (var text in files.Where(f => !f.Path.EndsWith(".safetensors", StringComparison.Ordinal) && !IsOfGraph(f.Path, files)))
        {
            RefuseLarge(text, MaxTextBytes);
        }

        var side = new SideFiles(files);
        side.Check(); // what it says of texts, chats and sentences is refused here too, not at the first request
        using var weights = OpenWeights(files);
        CheckIndex(files, weights);
        if (architecture is ForeignEncoder foreign)
        {
            foreign.Check(config);
            return new ModelFolder(files, architecture, config, foreign.Parameters, ReadLicense(files));
        }

        config = architecture.Settle(config, weights) with { LayerWeights = side.ReadSentences().LayerWeights?.Of(config.Layers) };
        var needed = architecture.Weights(config);
        architecture.CheckWeights(config, weights);
        return new ModelFolder(files, architecture, config, needed.Sum(t => t.Elements), ReadLicense(files));
    }

    /// <summary>Reads the tokenizer, where there is one: a model whose text cannot be encoded is better refused than listed.</summary>
    /// <exception cref="ModelFormatException">It uses a component that is not implemented; the message names it.</exception>
    public static void CheckTokenizer(IReadOnlyList<LayoutFile> files)
    {
        var parts = files.Where(f => TokenizerFolder.Names.Contains(f.Path)).ToDictionary(f => f.Path, f => f.Location);
        if (TokenizerFolder.FilesOf(parts.Keys) is not [var main, ..])
        {
            return;
        }

        try
        {
            TokenizerFolder.Load(parts);
        }
        catch (TokenizerFormatException fault)
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{main}: {fault.Message}", fault);
        }
    }

    /// <summary>
    /// The architecture of a model whose files are known: a graph of another exporter is served as it is, and a model of
    /// sentence-transformers whose weights lack the head that its class names is the encoder without one.
    /// </summary>
    public static Architecture ArchitectureOf(ConfigJson json, IReadOnlyList<LayoutFile> files) =>
        OnnxLayout.GraphOf(files) is { } graph ? ForeignEncoder.Of(json, graph)
        : files.Any(file => file.Path == SentenceLayoutReader.ModulesFile) && Architectures.BodyOf(json) is { } body && LacksWeights(Architectures.Of(json), json, files) ? body
        : Architectures.Of(json);

    private static bool LacksWeights(Architecture named, ConfigJson json, IReadOnlyList<LayoutFile> files)
    {
        using var weights = OpenWeights(files);
        var stored = named.Named(weights);
        return named.Weights(named.Settle(named.ReadConfig(json), weights)).Any(needed => stored.Find(needed.Name) is null);
    }

    /// <summary>Opens the weights; dispose what it gives.</summary>
    public static SafetensorsShards OpenWeights(IReadOnlyList<LayoutFile> files) =>
        SafetensorsShards.Open(files.Where(f => IsWeights(f.Path)).Select(f => (f.Path, f.Location)));

    /// <summary>Chat templates beside the usual one, each named by its file.</summary>
    private static IEnumerable<string> MoreTemplates(string folder)
    {
        var path = Path.Combine(folder, TemplatesFolder);
        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*.jinja").Select(file => $"{TemplatesFolder}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal).Take(MaxTemplates)
            : [];
    }

    /// <summary>Files of a sentence-transformers layout that lie in folders of its modules.</summary>
    private static IEnumerable<string> ModuleFiles(string folder)
    {
        var modules = new FileInfo(Path.Combine(folder, SentenceLayoutReader.ModulesFile));
        return modules.Exists && modules.Length <= ConfigJson.MaxBytes
            ? SentenceLayoutReader.OwnFiles(File.ReadAllBytes(modules.FullName)).Where(name => File.Exists(Path.Combine(folder, name)))
            : [];
    }

    /// <summary>Whether a path is that of a text or tokenizer of the layout.</summary>
    public static bool IsCompanion(string path) =>
        path == ConfigFile || Companions.Contains(path) || path.EndsWith("/" + ConfigFile, StringComparison.Ordinal) || path.EndsWith("/" + WeightsFile, StringComparison.Ordinal) || path.StartsWith(TemplatesFolder, StringComparison.Ordinal);

    /// <summary>Whether a folder has weights in safetensors, which go before a graph.</summary>
    public static bool HasWeights(string folder) => File.Exists(Path.Combine(folder, IndexFile)) || File.Exists(Path.Combine(folder, WeightsFile));

    private static IEnumerable<string> WeightNames(string folder)
    {
        if (File.Exists(Path.Combine(folder, IndexFile)))
        {
            var shards = Shards(new LayoutFile(IndexFile, Path.Combine(folder, IndexFile))).Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            var absent = shards.Find(name => !File.Exists(Path.Combine(folder, name)));
            return absent is null
                ? [IndexFile, .. shards]
                : throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{IndexFile} names the file '{absent}', which is not in the folder.");
        }

        if (File.Exists(Path.Combine(folder, WeightsFile)))
        {
            return [WeightsFile];
        }

        if (OnnxLayout.FilesIn(folder) is { Count: > 0 } graph)
        {
            return graph;
        }

        var pickle = Array.Find(OtherWeights, name => File.Exists(Path.Combine(folder, name)));
        throw pickle is null
            ? new ModelFormatException(ModelFormatProblem.MissingFile, $"The folder has neither {WeightsFile} nor {IndexFile}.")
            : new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The weights are in {pickle}, which is not read because such files may run code or need a framework. Expected: {WeightsFile}, or shards with {IndexFile}.");
    }

    /// <summary>The index: weight name to shard.</summary>
    private static Dictionary<string, string> Shards(LayoutFile index)
    {
        RefuseLarge(index, MaxTextBytes);
        try
        {
            var shards = PublishedJson.Parse(File.ReadAllBytes(index.Location), IndexFile).GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
            // A name here becomes a path, so it must be a plain shard's name.
            return shards.Values.FirstOrDefault(name => name is null || !ShardName().IsMatch(name)) is { } wrong
                ? throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{IndexFile}: '{ModelName.Shorten(wrong)}' is not the name of a shard.")
                : shards;
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{IndexFile} is not an object with a weight_map of texts.", fault);
        }
    }

    private static void CheckIndex(IReadOnlyList<LayoutFile> files, SafetensorsShards weights)
    {
        if (files.FirstOrDefault(f => f.Path == IndexFile) is { } index
            && Shards(index).Keys.FirstOrDefault(name => weights.Find(name) is null) is { } absent)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{IndexFile} names the weight '{absent}', which no shard holds.");
        }
    }

    /// <summary>Whether a file is a graph or its weights.</summary>
    private static bool IsOfGraph(string path, IReadOnlyList<LayoutFile> files) =>
        OnnxLayout.GraphOf(files) is { } graph && (path == graph.Name || graph.External.Keys.Any(name => path == OnnxLayout.Beside(graph.Name, name)));

    private static ConfigJson? ReadJson(IReadOnlyList<LayoutFile> files, string name)
    {
        if (files.FirstOrDefault(f => f.Path == name) is not { } file)
        {
            return name == ConfigFile ? throw new ModelFormatException(ModelFormatProblem.MissingFile, "The model has no config.json.") : null;
        }

        RefuseLarge(file, ConfigJson.MaxBytes);
        return ConfigJson.Parse(File.ReadAllBytes(file.Location), name);
    }

    private static void RefuseLarge(LayoutFile file, long max)
    {
        var bytes = new FileInfo(file.Location).Length;
        if (bytes > max)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{file.Path} has {bytes} bytes; at most {max} are read.");
        }
    }

    /// <summary>The licence's word from the card's front matter, where there is one.</summary>
    private static string? ReadLicense(IReadOnlyList<LayoutFile> files)
    {
        if (files.FirstOrDefault(f => f.Path == "README.md") is not { } card)
        {
            return null;
        }

        var lines = File.ReadLines(card.Location).Take(200).ToList();
        return lines is ["---", ..]
            ? lines.Skip(1).TakeWhile(l => l != "---").Select(l => LicenseLine().Match(l)).FirstOrDefault(m => m.Success)?.Groups[1].Value
            : null;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.safetensors\z")]
    private static partial Regex ShardName();

    [GeneratedRegex(@"\Alicense:\s*[""']?([A-Za-z0-9][A-Za-z0-9.+_-]{0,100})[""']?\s*\z")]
    private static partial Regex LicenseLine();
}
