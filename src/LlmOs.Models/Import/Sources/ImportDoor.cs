using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Adapters;
using LlmOs.Models.Import.Bundles;
using LlmOs.Models.Import.Pull;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Import.Sources;

/// <summary>
/// The sources of imports: <c>file:</c>, <c>hf:</c>, <c>https:</c> and <c>upload:</c>. Refuses at once what can be seen from
/// the request alone, and brings the rest onto this machine.
/// </summary>
internal sealed class ImportDoor(LlmOsSettings settings, UploadSource uploads, HubClient hub, HubPull pull, WebSource web)
{
    /// <summary>Refuses what can be seen at once; the same checks open the job.</summary>
    public async Task CheckAsync(LlmOsDb db, ImportRequest request, CancellationToken cancel)
    {
        ImportKind.Check(request);
        if (await db.Models.AnyAsync(m => m.Name == request.Name && m.ArchivedAt != null, cancel))
        {
            throw ModelRegistry.Archived(request.Name);
        }

        if (request.Base is { } name)
        {
            await RequireBaseAsync(db, name, cancel);
        }

        switch (request.Source)
        {
            case var source when source.StartsWith(HubReference.Scheme, StringComparison.Ordinal):
                HubReference.Parse(source);
                hub.Check();
                break;
            case var source when WebSource.Is(source):
                web.Check(source);
                break;
            case var source when UploadSource.Is(source):
                await uploads.CheckAsync(db, source, cancel);
                break;
            default:
                var path = ImportSource.Resolve(request.Source, settings.ImportDirs);
                if (!File.Exists(path) || !await BundleReader.IsBundleAsync(path, cancel))
                {
                    SourceLayout.CheckKind(path);
                }

                CheckBase(path, request);

                break;
        }
    }

    public async Task<FetchedSource> FetchAsync(LlmOsDb db, ImportRequest request, JobContext job, CancellationToken cancel)
    {
        switch (request.Source)
        {
            case var source when source.StartsWith(HubReference.Scheme, StringComparison.Ordinal):
                return await pull.FetchAsync(HubReference.Parse(source), request.Precision, job, cancel);
            case var source when WebSource.Is(source):
                return await web.FetchAsync(source, job, cancel);
            case var source when UploadSource.Is(source):
                return await uploads.FetchAsync(db, source, job, cancel);
            default:
                return new FetchedSource(ImportSource.Resolve(request.Source, settings.ImportDirs), IsOurs: false, Origin: null);
        }
    }

    /// <summary>What is merged into is a version that is stored; its name may be written in any way a request may write it.</summary>
    private static async Task RequireBaseAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        try
        {
            await ModelResolver.ResolveAsync(db, name, cancel);
        }
        catch (LlmOsException refusal) when (refusal is { Code: ErrorCode.ModelNotFound })
        {
            throw new LlmOsException(refusal.Code, $"base: {refusal.Message}", refusal) { Field = "base", Hint = "Import the base model first; GET /api/v1/models lists those that there are." };
        }
    }

    private void CheckBase(string path, ImportRequest request)
    {
        if (Directory.Exists(path))
        {
            try
            {
                AdapterFolder.CheckBase(path, file => ImportSource.ResolveInside(file, settings.ImportDirs), request.Base is not null);
            }
            catch (ModelFormatException fault)
            {
                var refusal = FormatRefusal.Of(fault);
                throw new LlmOsException(refusal.Code, refusal.Message, fault) { Field = "base" };
            }
        }
    }
}
