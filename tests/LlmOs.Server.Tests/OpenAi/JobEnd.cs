using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>Waits for a job of the API, however long the machine takes for it.</summary>
internal static class JobEnd
{
    /// <summary>The job as it ended. One wait ends after its seconds, whatever the job does, so it is asked for again.</summary>
    /// <param name="path">The job's own address, such as <c>/api/v1/jobs/job_1</c>.</param>
    public static async Task<JsonElement> WaitForJobAsync(this HttpClient client, string path, CancellationToken cancel = default)
    {
        while (true)
        {
            var job = Json.Parse(await client.GetStringAsync($"{path}?wait=30", cancel));
            if (job.GetProperty("finished_at").ValueKind != JsonValueKind.Null)
            {
                return job;
            }
        }
    }
}
