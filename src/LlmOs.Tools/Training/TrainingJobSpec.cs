using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Training;

/// <summary>Trainings that are submitted as jobs, so that they can come after others.</summary>
internal sealed class TrainingJobSpec(
    LlmOsSettings settings, IDbContextFactory<LlmOsDb> databases, ArtifactStore store, DataFolder folder) : IJobSpec
{
    public string Kind => TrainingRunner.JobKind;

    public async Task<object> CheckAsync(JsonElement spec, CancellationToken cancel)
    {
        var request = FreeForm.Read<TrainingRequest>(spec, "spec");
        await using var db = await databases.CreateDbContextAsync(cancel);
        await TrainingSources.FindAsync(request, db, store, settings, folder.Scratch, cancel);
        TrainerLocator.Find(settings);
        return request;
    }
}
