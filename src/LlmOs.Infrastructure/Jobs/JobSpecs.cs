using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>A specification as its row has it.</summary>
/// <param name="Json">Empty where the specification lies in the blob.</param>
/// <param name="Sha256">The blob that holds it; null where the row does.</param>
public sealed record StoredSpec(string Json, string? Sha256);

/// <summary>Where specifications lie: small ones in the job's row, large ones in a blob, so that no query carries them along.</summary>
public sealed class JobSpecs(ArtifactStore store)
{
    /// <summary>What a row takes.</summary>
    internal const int MaxRowBytes = 64 << 10;

    /// <summary>The jobs that have not ended whose specification holds a text, one at a time: a specification may be large.</summary>
    public async IAsyncEnumerable<(string Id, string Spec)> UnfinishedAsync(LlmOsDb db, string text, [EnumeratorCancellation] CancellationToken cancel)
    {
        JobState[] over = [JobState.Succeeded, JobState.Failed, JobState.Cancelled];
        var jobs = await db.Jobs.AsNoTracking()
            .Where(j => !over.Contains(j.State) && (j.SpecSha256 != null || j.Spec.Contains(text)))
            .Select(j => new { j.Id, j.Spec, j.SpecSha256 })
            .ToListAsync(cancel);
        foreach (var job in jobs)
        {
            var spec = job.SpecSha256 is { } sha256 ? await TextAsync(sha256, cancel) : job.Spec;
            if (spec?.Contains(text, StringComparison.Ordinal) is true)
            {
                yield return (job.Id, spec);
            }
        }
    }

    internal async Task<StoredSpec> StoreAsync(object spec, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(spec, spec.GetType(), LlmOsJson.Options);
        if (json.Length <= MaxRowBytes)
        {
            return new StoredSpec(Encoding.UTF8.GetString(json), null);
        }

        using var content = new MemoryStream(json);
        return new StoredSpec("", (await store.PutAsync(content, cancel)).Sha256);
    }

    /// <summary>The specification for a run.</summary>
    /// <exception cref="LlmOsException">Its blob is damaged or gone.</exception>
    internal async Task<JsonElement> OpenAsync(Job job, CancellationToken cancel)
    {
        if (job.SpecSha256 is not { } sha256)
        {
            return JobJson.Parse(job.Spec);
        }

        await store.VerifyAsync(sha256, cancel);
        return JobJson.Parse(await File.ReadAllTextAsync(store.PathOf(sha256), cancel));
    }

    /// <summary>The job with its specification; null in its place where the blob is gone.</summary>
    internal async Task<JobView> ViewAsync(Job job, CancellationToken cancel) =>
        job.ToView(JobJson.Parse((job.SpecSha256 is { } sha256 ? await TextAsync(sha256, cancel) : job.Spec) ?? "null"));

    private async Task<string?> TextAsync(string sha256, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllTextAsync(store.PathOf(sha256), cancel);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}

/// <summary>JSON as rows hold it.</summary>
internal static class JobJson
{
    public static JsonElement Null { get; } = Parse("null");

    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public static JsonElement? ParseOrNull(string? json) => json is null ? null : Parse(json);
}
