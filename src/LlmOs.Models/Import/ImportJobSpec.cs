using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Sources;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Import;

/// <summary>Imports that are submitted as jobs, so that they can come after others.</summary>
internal sealed class ImportJobSpec(IDbContextFactory<LlmOsDb> databases, ImportDoor door) : IJobSpec
{
    public string Kind => ModelImporter.JobKind;

    public async Task<object> CheckAsync(JsonElement spec, CancellationToken cancel)
    {
        var request = FreeForm.Read<ImportRequest>(spec, "spec");
        await using var db = await databases.CreateDbContextAsync(cancel);
        await door.CheckAsync(db, request, cancel);
        return request;
    }
}
