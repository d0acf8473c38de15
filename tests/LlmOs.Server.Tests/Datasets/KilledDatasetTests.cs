using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>A server that is killed at each stage of a data set's making: the job goes on, and the result is the same.</summary>
public sealed class KilledDatasetTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_at_each_stage_an_import_goes_on_and_lists_the_same_rows_once()
    {
        using var temp = new TempFolder();
        var faults = new FaultFolder(temp.At("faults"));
        Directory.CreateDirectory(temp.At("import"));
        await File.WriteAllLinesAsync(temp.At("import", "rows.txt"), Enumerable.Range(0, 20_000).Select(i => $"row {i}"), Cancel);
        var start = new ServerStart
        {
            Data = temp.At("data"),
            Environment = new Dictionary<string, string?>([faults.Environment]) { ["LLMOS_IMPORT_DIRS"] = temp.At("import"), ["LLMOS_ROLES"] = "api,inference" },
        };
        var server = await ServerProcess.StartAsync(start);
        try
        {
            HashSet<string> hashes = [];
            foreach (var (number, point) in FaultFolder.Points("dataset").Index())
            {
                faults.Arm(point);
                using (var doomed = server.Client())
                {
                    try
                    {
                        using var answer = await doomed.PostAsync($"/api/v1/datasets/killed{number}/versions", Json.Body(new { source = $"file:{temp.At("import", "rows.txt")}" }), Cancel);
                        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                    }
                    catch (HttpRequestException)
                    {
                        // It may be so quick that the answer is lost with the server.
                    }
                }

                Assert.Equal(128 + Signals.Kill, await server.WaitForExitAsync());
                await server.DisposeAsync();
                server = await ServerProcess.StartAsync(start);
                using var client = server.Client();
                var job = Json.Parse(await client.GetStringAsync("/api/v1/jobs?kind=dataset&limit=1", Cancel)).GetProperty("items")[0].GetProperty("id").GetString();
                var ended = await client.WaitForJobAsync($"/api/v1/jobs/{job}", Cancel);
                Assert.True(ended.GetProperty("state").GetString() == "succeeded", ended.ToString());
                Assert.Equal(20_000, ended.GetProperty("result").GetProperty("rows").GetInt32());
                hashes.Add(ended.GetProperty("result").GetProperty("sha256").GetString()!);
                Assert.Equal(1, Json.Parse(await client.GetStringAsync($"/api/v1/datasets/killed{number}/versions", Cancel)).GetProperty("items").GetArrayLength());
            }

            Assert.Single(hashes);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }
}
