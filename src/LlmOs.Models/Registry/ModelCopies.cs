using System.Text;
using LlmOs.Contracts;
using LlmOs.Formats.Templates;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;

namespace LlmOs.Models.Registry;

/// <summary>Makes a version of another one: the same weights under another name, with other texts beside them if that is asked for.</summary>
internal sealed class ModelCopies(ArtifactStore store, ModelRegistry registry)
{
    /// <summary>The files that a copy may have of its own. Weights and configuration stay, so that the copy is served as the original is.</summary>
    public static readonly IReadOnlyList<string> Replaceable = ["README.md", "LICENSE", "chat_template.jinja", "generation_config.json"];

    public async Task<ModelJobResult> CopyAsync(LlmOsDb db, ModelVersion source, CopyRequest request, CancellationToken cancel)
    {
        ModelName.Check(request.Name);
        ModelName.CheckAlias(request.Alias ?? ModelAlias.Latest);
        if (source.State != ModelVersionState.Ready)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"{source.Ref} is {source.State.ToWord()}, not ready; only ready versions are copied.");
        }

        var files = await FilesAsync(source, request.Files ?? new Dictionary<string, string>(), cancel);
        var license = await FormatRefusal.GuardAsync(() =>
        {
            IReadOnlyList<LayoutFile> layout = [.. files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))];
            return Task.FromResult(request.Files is null ? source.License : ModelFolder.Check(layout).License ?? source.License);
        });
        var copy = new NewModelVersion
        {
            Name = request.Name,
            Alias = request.Alias ?? ModelAlias.Latest,
            Task = source.Task,
            Architecture = source.Architecture,
            Parameters = source.Parameters,
            ContextLength = source.ContextLength,
            Vocabulary = source.Vocabulary,
            Precision = source.Precision,
            License = license,
            Files = files,
            Parity = source.ToView().Parity,
            Lineage = new LineageView(source.Ref, null, []) { Relation = LineageRelation.Copied },
        };
        return await ModelRegistry.InTransactionAsync(db, () => registry.PublishAsync(db, copy, cancel), cancel);
    }

    /// <summary>The copy's files: those of the source, kept for the copy, and the new texts, stored.</summary>
    private async Task<List<ModelFileView>> FilesAsync(ModelVersion source, IReadOnlyDictionary<string, string> texts, CancellationToken cancel)
    {
        if (texts.Keys.FirstOrDefault(path => !Replaceable.Contains(path)) is { } other)
        {
            throw LlmOsException.Invalid($"files.{other}", $"files.{other}: a copy has no '{ModelName.Shorten(other)}' of its own; it may have {string.Join(", ", Replaceable)}.");
        }

        if (texts.FirstOrDefault(text => text.Value is null).Key is { } missing)
        {
            throw LlmOsException.Invalid($"files.{missing}", $"files.{missing}: null is no text; leave the file out and the copy has the original's.");
        }

        if (texts.TryGetValue("chat_template.jinja", out var template))
        {
            CheckTemplate(template);
        }

        List<ModelFileView> files = [];
        foreach (var file in source.Files.Where(f => !texts.ContainsKey(f.Path)))
        {
            files.Add(await store.KeepAsync(file.Sha256, cancel)
                ? file.ToView()
                : throw new LlmOsException(ErrorCode.MissingFile, $"The store lacks {file.Path} of {source.Ref}.") { Hint = "Import the model again." });
        }

        foreach (var (path, text) in texts)
        {
            var blob = await store.PutAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), cancel);
            files.Add(new ModelFileView(path, blob.Sha256, blob.Bytes));
        }

        return files;
    }

    private static void CheckTemplate(string template)
    {
        try
        {
            ChatTemplate.Parse(template);
        }
        catch (TemplateException fault)
        {
            throw new LlmOsException(ErrorCode.TemplateError, $"files.chat_template.jinja: {fault.Message}", fault) { Field = "files.chat_template.jinja" };
        }
    }
}
