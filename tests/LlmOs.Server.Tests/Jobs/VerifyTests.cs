using System.Net;
using System.Net.Http.Json;
using LlmOs.Contracts;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Jobs;

public sealed class VerifyTests
{
    [Fact]
    public async Task A_check_of_the_stored_files_names_the_one_whose_content_was_changed_and_no_other()
    {
        await using var server = await ServerProcess.StartAsync(new ServerStart());
        using var http = server.Client();
        using var client = new LlmOsClient(server.Client());
        var whole = await VerifyAsync(http, client);
        var victim = Directory.EnumerateFiles(Path.Combine(server.Data, "blobs"), "*", SearchOption.AllDirectories).Select(f => new FileInfo(f)).Where(f => f.Name.Length == 64).MinBy(f => f.Length)!;
        await File.AppendAllTextAsync(victim.FullName, "x");

        var hurt = await VerifyAsync(http, client);

        Assert.True(whole.Blobs > 0, "the starter's files are stored");
        Assert.Empty(whole.Damaged);
        Assert.Equal((whole.Blobs, whole.Bytes + 1), (hurt.Blobs, hurt.Bytes));
        Assert.Equal([victim.Name], hurt.Damaged);
    }

    private static async Task<VerifyReport> VerifyAsync(HttpClient http, LlmOsClient client)
    {
        using var answer = await http.PostAsJsonAsync("/api/v1/artifacts/verify", new { });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = (await answer.Content.ReadFromJsonAsync<JobAccepted>(LlmOsJson.Options))!.Job;
        Assert.Equal($"/api/v1/jobs/{job.Id}", answer.Headers.Location?.ToString());
        var done = await client.GetJobAsync(job.Id, 60, default);
        Assert.Equal((JobState.Succeeded, "verify", "done"), (done.State, done.Kind, done.Code));
        return System.Text.Json.JsonSerializer.Deserialize<VerifyReport>(done.Result!.Value, LlmOsJson.Options)!;
    }
}
