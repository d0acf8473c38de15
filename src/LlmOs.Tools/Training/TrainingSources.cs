using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Registry;
using LlmOs.Models.Tokenizers;
using LlmOs.Models.Zoo;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Training;

/// <summary>A stored tokenizer, or that of a stored model.</summary>
/// <param name="Vocabulary">Ids are below it; of a model the rows of its embedding.</param>
internal sealed record TokenizerSource(int Vocabulary, IReadOnlyList<ModelFileView> Files);

/// <summary>What a training reads, found and allowed: the text's file, and the stored versions it builds on.</summary>
/// <param name="TextPath">Real path beneath an import folder; null where the text is a data set's.</param>
/// <param name="Base">The version that training goes on from.</param>
/// <param name="Tokenizer">The stored tokenizer that is reused.</param>
/// <param name="Plan">The request, checked against this machine.</param>
internal sealed record TrainingSources(string? TextPath, DatasetText? Dataset, ModelVersion? Base, TokenizerSource? Tokenizer, TrainingPlan Plan)
{
    private const string TokenizerFile = "tokenizer.json";

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
        var text = request.Text is { } file ? ImportSource.ResolveFile(file, "text", settings.ImportDirs) : null;
        var dataset = request.Dataset is { } reference ? await DatasetText.FindAsync(db, reference, request.Column, cancel) : null;
        var from = await StoredAsync(db, "base", request.Base, cancel);
        var tokenizer = await TokenizerAsync(db, request.Tokenizer?.Stored, cancel);
        var facts = TrainerMachine.Facts(folder, text is null ? dataset!.Bytes : new FileInfo(text).Length, from is null ? null : SizesOf(from, store), tokenizer?.Vocabulary);
        return new TrainingSources(text, dataset, from, tokenizer, TrainingPlanner.Plan(request, facts));
    }

    /// <summary>Lays stored files out as a folder, for the trainer.</summary>
    public static string LayOut(IEnumerable<ModelFileView> files, ArtifactStore store, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in files)
        {
            var target = Path.Combine(folder, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.CreateSymbolicLink(target, store.PathOf(file.Sha256));
        }

        return folder;
    }

    /// <summary>What a name means to those who encode: a stored tokenizer, or else that of a model.</summary>
    private static async Task<TokenizerSource?> TokenizerAsync(LlmOsDb db, string? name, CancellationToken cancel)
    {
        var stored = name is null ? null : await db.Tokenizers.AsNoTracking().Include(t => t.Files).SingleOrDefaultAsync(t => t.Name == name, cancel);
        if (stored is null)
        {
            return await StoredAsync(db, "tokenizer", name, cancel) is { } version ? new TokenizerSource(version.Vocabulary, [.. version.Files.Select(f => f.ToView())]) : null;
        }

        return stored.Files.Any(f => f.Path == TokenizerFile)
            ? new TokenizerSource(stored.Vocabulary, [.. stored.Files.Select(f => f.ToView())])
            : throw new LlmOsException(ErrorCode.NoTokenizer, $"The tokenizer '{stored.Name}' is not a {TokenizerFile}, and a training reads no other form.") { Field = "tokenizer" };
    }

    private static async Task<ModelVersion?> StoredAsync(LlmOsDb db, string field, string? model, CancellationToken cancel)
    {
        if (model is null)
        {
            return null;
        }

        var version = await ModelResolver.ResolveAsync(db, model, cancel);
        return version.FindFile(TokenizerFile) is null
            ? throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {version.Ref} was stored without a {TokenizerFile}.") { Field = field }
            : version;
    }

    private static DecoderSizes SizesOf(ModelVersion version, ArtifactStore store) =>
        BaseModel.SizesOf(File.ReadAllBytes(store.PathOf(version.FindFile(BaseModel.ConfigFile)!.Sha256)), "base");
}
