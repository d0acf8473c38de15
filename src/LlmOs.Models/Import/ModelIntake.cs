using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Import;

/// <summary>
/// Takes a folder in Hugging Face layout into the store: checks it, stores its files, and builds the graph from what was
/// stored. Listing it is a second step (<see cref="ModelRegistry.PublishAsync"/>), so a failure here lists nothing.
/// </summary>
public sealed class ModelIntake(ArtifactStore store, ServingGraphs graphs)
{
    /// <summary>The task of decoders.</summary>
    public const string TextGeneration = "text-generation";

    /// <summary>The task of encoder-decoders.</summary>
    public const string Text2Text = "text2text-generation";

    /// <param name="source">The folder.</param>
    /// <param name="name">Under which the version will be listed.</param>
    /// <param name="report">Told the share done, from 0 to 1, and what comes next.</param>
    /// <returns>The version, ready to publish; callers add alias, lineage and parity with <c>with</c>.</returns>
    /// <exception cref="LlmOsException">The files cannot be used; the code is one of an import's.</exception>
    public Task<NewModelVersion> TakeAsync(string source, string name, Action<double, JobMessage> report, CancellationToken cancel) =>
        FormatRefusal.GuardAsync(async () =>
        {
            report(0, ImportCodes.CheckingFiles);
            return await TakeFilesAsync(ModelFolder.List(source), name, Precisions.Full, report, cancel);
        });

    /// <param name="layout">The files; those that may be moved are.</param>
    /// <param name="precision">One of <see cref="Precisions.All"/>.</param>
    internal async Task<NewModelVersion> TakeFilesAsync(IReadOnlyList<LayoutFile> layout, string name, string precision, Action<double, JobMessage> report, CancellationToken cancel)
    {
        // Before anything is copied.
        ModelFolder.Check(layout);
        ModelFolder.CheckTokenizer(layout);

        List<ModelFileView> files = [];
        foreach (var file in layout)
        {
            report(0.6 * files.Count / layout.Count, ImportCodes.StoringFile.With(("file", file.Path)));
            var blob = file.MayMove ? await store.TakeFileAsync(file.Location, cancel) : await store.PutFileAsync(file.Location, cancel);
            files.Add(new ModelFileView(file.Path, blob.Sha256, blob.Bytes));
        }

        report(0.6, ImportCodes.BuildingGraph);
        // From the stored files: the folder may have changed since it was checked.
        var model = ModelFolder.Check([.. files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))]);
        await graphs.OpenFreshAsync(files, precision, cancel);
        report(1, ImportCodes.Ready);
        return new NewModelVersion
        {
            Name = name,
            Task = model.Architecture.Task,
            Architecture = model.Architecture.ClassName,
            Parameters = model.Parameters,
            ContextLength = model.Config.ContextLength,
            Vocabulary = model.Config.Vocabulary,
            Precision = precision,
            License = model.License,
            Files = files,
        };
    }
}
