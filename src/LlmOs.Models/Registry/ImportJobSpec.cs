using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Models.Registry;

/// <summary>Imports that are submitted as jobs, so that they can come after others.</summary>
internal sealed class ImportJobSpec(LlmOsSettings settings) : IJobSpec
{
    public string Kind => ModelImporter.JobKind;

    public Task<object> CheckAsync(JsonElement spec, CancellationToken cancel)
    {
        var request = FreeForm.Read<ImportRequest>(spec, "spec");
        ModelImporter.Check(request, settings);
        return Task.FromResult<object>(request);
    }
}
