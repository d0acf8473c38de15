using LlmOs.Formats;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Adapters;

/// <summary>The stored model that an adapter is merged into.</summary>
/// <param name="Reference"><c>name:3</c></param>
internal sealed record AdapterBase(string Reference, string? License, IReadOnlyList<LayoutFile> Files)
{
    /// <summary>The version's files, each verified by its hash: what is merged into is written again as a new model.</summary>
    public static async Task<AdapterBase> OpenAsync(ModelVersion version, ArtifactStore store, CancellationToken cancel)
    {
        foreach (var sha256 in version.Files.Select(f => f.Sha256).Distinct())
        {
            await store.VerifyAsync(sha256, cancel);
        }

        return new AdapterBase(version.Ref, version.License, [.. version.Files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))]);
    }
}

/// <summary>
/// A folder as PEFT saves it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>. Merged into its base it is a
/// model like any other, in the base's layout.
/// </summary>
internal static class AdapterFolder
{
    public const string WeightsFile = "adapter_model.safetensors";

    private const string Pickle = "adapter_model.bin";

    /// <summary>Texts of the adapter that stand in place of the base's.</summary>
    private static readonly string[] OwnTexts = ["README.md", "LICENSE", "LICENSE.txt", "LICENSE.md"];

    /// <summary>Where a tokenizer's chat template stands.</summary>
    private static readonly string[] Templates = ["chat_template.jinja", "chat_template.json"];

    /// <summary>Whether the folder is an adapter: merged models often keep the adapter's configuration beside their weights.</summary>
    public static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, LoraConfig.FileName))
        && !File.Exists(Path.Combine(folder, ModelFolder.WeightsFile))
        && !File.Exists(Path.Combine(folder, ModelFolder.IndexFile));

    /// <summary>The refusal of an adapter whose base was not named, and of a base where there is no adapter.</summary>
    /// <param name="place">The real place of a file of the source; refuses one that may not be read.</param>
    public static void CheckBase(string folder, Func<string, string> place, bool isNamed)
    {
        if (!IsIn(folder))
        {
            if (isNamed)
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The source is not an adapter (it has no {LoraConfig.FileName}, or has weights of its own), so 'base' has no meaning. Leave it out.");
            }
        }
        else if (!isNamed)
        {
            var trained = ReadConfig(place(Path.Combine(folder, LoraConfig.FileName))).Base is { Length: > 0 } name ? $" It was trained beside '{ModelName.Shorten(name)}'." : "";
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The source is a PEFT adapter, which is merged into its base model. Name that in 'base': a model that is stored here.{trained}");
        }
    }

    /// <summary>Merges the adapter of a folder into its base; the files of the model that this gives.</summary>
    /// <param name="place">The real place of a file of the source; refuses one that may not be read.</param>
    /// <param name="type">F32 or F16.</param>
    /// <param name="scratch">An existing folder; what is written lies in a new one beneath it.</param>
    /// <param name="report">Told the share done, from 0 to 1.</param>
    public static IReadOnlyList<LayoutFile> Merge(
        string folder, Func<string, string> place, AdapterBase parent, TensorType type, string scratch, Action<double> report, CancellationToken cancel)
    {
        var lora = ReadConfig(place(Path.Combine(folder, LoraConfig.FileName)));
        var path = Path.Combine(folder, WeightsFile);
        if (!File.Exists(path))
        {
            throw File.Exists(Path.Combine(folder, Pickle))
                ? new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The adapter's weights are in {Pickle}, which is not read because such files may run code. Expected: {WeightsFile}.")
                : new ModelFormatException(ModelFormatProblem.MissingFile, $"The adapter has no {WeightsFile}.");
        }

        var model = ModelFolder.Check(parent.Files);
        using var adapter = SafetensorsFile.Open(place(path), WeightsFile);
        using var weights = ModelFolder.OpenWeights(parent.Files);
        var target = Directory.CreateDirectory(Path.Combine(scratch, "merged")).FullName;
        var merged = Path.Combine(target, ModelFolder.WeightsFile);
        WeightCopy.Write(new MergedWeights(weights, model.Architecture, model.Config, adapter, lora), type, merged, report, cancel);

        var own = OwnFiles(folder, place);
        var bringsTokenizer = own.Any(f => TokenizerFolder.Names.Contains(f.Path));
        return
        [
            .. parent.Files
                .Where(f => f.Path != ModelFolder.IndexFile && !ModelFolder.IsWeights(f.Path))
                .Where(f => !own.Any(o => o.Path == f.Path) && !(bringsTokenizer && (TokenizerFolder.Names.Contains(f.Path) || Templates.Contains(f.Path))))
                .Select(f => f.Path == ModelFolder.ConfigFile ? StoredType.Write(f, type, target) : f),
            .. own,
            new LayoutFile(ModelFolder.WeightsFile, merged) { MayMove = true },
        ];
    }

    /// <summary>The adapter's card and licence, and its tokenizer with its templates if it has one: training may have changed them.</summary>
    private static List<LayoutFile> OwnFiles(string folder, Func<string, string> place)
    {
        bool IsThere(string name) => File.Exists(Path.Combine(folder, name));
        var tokenizer = TokenizerFolder.Names.Where(IsThere).ToList();
        string[] names =
        [
            .. OwnTexts.Where(IsThere),
            .. TokenizerFolder.FilesOf(tokenizer).Count > 0 ? tokenizer : [],
            .. Templates.Where(IsThere),
        ];
        return [.. names.Select(name => new LayoutFile(name, place(Path.Combine(folder, name))))];
    }

    private static LoraConfig ReadConfig(string path)
    {
        var bytes = new FileInfo(path).Length;
        return bytes <= ConfigJson.MaxBytes
            ? LoraConfig.Read(ConfigJson.Parse(File.ReadAllBytes(path), LoraConfig.FileName))
            : throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{LoraConfig.FileName} has {bytes} bytes; at most {ConfigJson.MaxBytes} are read.");
    }
}
