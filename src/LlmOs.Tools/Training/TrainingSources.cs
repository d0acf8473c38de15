using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>What a training reads, found and allowed: the text's file, and the stored versions it builds on.</summary>
/// <param name="TextPath">Real path beneath an import folder.</param>
/// <param name="Base">The version that training goes on from.</param>
/// <param name="Tokenizer">The version whose tokenizer is reused.</param>
/// <param name="Plan">The request, checked against this machine.</param>
internal sealed record TrainingSources(string TextPath, ModelVersion? Base, ModelVersion? Tokenizer, TrainingPlan Plan)
{
    /// <summary>Finds and checks everything that a request names. The door and the job both call it.</summary>
    /// <param name="folder">Where the training would write.</param>
    /// <exception cref="LlmOsException">Something is missing, not allowed or impossible; the field is named.</exception>
    public static async Task<TrainingSources> FindAsync(
        TrainingRequest request, LlmOsDb db, ArtifactStore store, LlmOsSettings settings, string folder, CancellationToken cancel)
    {
        ModelName.Check(request.Name);
        if (request.Alias is { } alias)
        {
            ModelName.CheckAlias(alias);
        }

        // The rules that need no file come first, so that their refusals do not depend on this machine's files.
        TrainingPlanner.CheckAlone(request);
        var text = ImportSource.ResolveFile(request.Text!, "text", settings.ImportDirs);
        var from = await StoredAsync(db, "base", request.Base, cancel);
        var tokenizer = await StoredAsync(db, "tokenizer", request.Tokenizer?.Stored, cancel);
        var facts = TrainerMachine.Facts(folder, new FileInfo(text).Length, from is null ? null : SizesOf(from, store), tokenizer?.Vocabulary);
        return new TrainingSources(text, from, tokenizer, TrainingPlanner.Plan(request, facts));
    }

    /// <summary>Lays a version's files out as a folder, for the trainer.</summary>
    public static string LayOut(ModelVersion version, ArtifactStore store, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in version.Files)
        {
            var target = Path.Combine(folder, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.CreateSymbolicLink(target, store.PathOf(file.Sha256));
        }

        return folder;
    }

    private static async Task<ModelVersion?> StoredAsync(LlmOsDb db, string field, string? model, CancellationToken cancel)
    {
        if (model is null)
        {
            return null;
        }

        var version = await ModelResolver.ResolveAsync(db, model, cancel);
        return version.FindFile("tokenizer.json") is null
            ? throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {version.Ref} was stored without a tokenizer.json.") { Field = field }
            : version;
    }

    private static DecoderSizes SizesOf(ModelVersion version, ArtifactStore store) =>
        BaseModel.SizesOf(File.ReadAllBytes(store.PathOf(version.FindFile(HuggingFaceFolder.ConfigFile)!.Sha256)), "base");
}
