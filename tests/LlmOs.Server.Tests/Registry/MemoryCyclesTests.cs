#if LONG_TESTS
using System.Globalization;
using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Registry;

/// <summary>What a load takes from the machine, and that an unload gives it back.</summary>
public sealed class MemoryCyclesTests
{
    private const int Cycles = 50;
    private const int Settled = 25; // up to here the process was seen to grow
    private const string Model = "smollm2";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Loads_and_unloads_leave_the_memory_as_it_was()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: resident memory is read from /proc");
        var folder = SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        using var data = new TempFolder();
        var start = new ServerStart { Data = data.At("data"), Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = Path.GetDirectoryName(folder) } };
        await using (var first = await ServerProcess.StartAsync(start))
        {
            await ModelServer.ImportAsync(first, Model, "int4", ["models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"]);
            Assert.Equal(0, await first.StopAsync());
        }

        // The import is over: what is measured is a server that serves.
        await using var server = await ServerProcess.StartAsync(start);
        using var client = server.Client();
        await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 4 });
        await UnloadAsync(client, "starter");
        var idle = Resident(server);
        List<long> loaded = [], unloaded = [];
        for (var cycle = 0; cycle < Cycles; cycle++)
        {
            await client.PostJsonAsync("/v1/completions", new { model = Model, prompt = "The capital of France is", max_tokens = 4, temperature = 0 });
            loaded.Add(Resident(server));
            await UnloadAsync(client, Model);
            unloaded.Add(Resident(server));
        }

        var weights = new DirectoryInfo(Path.Combine(data.At("data"), "cache", "graphs")).EnumerateFiles("*", SearchOption.AllDirectories).OrderByDescending(file => file.Length).First().Length;
        var added = loaded[Settled - 1] - idle;
        var drift = (double)(loaded[^1] - loaded[Settled - 1]) / loaded[Settled - 1];
        var stays = (double)(unloaded[^1] - unloaded[Settled - 1]) / added;
        var figures = $"idle {MiB(idle)}, weights {MiB(weights)}, loaded {string.Join(' ', loaded.Select(MiB))}, unloaded {string.Join(' ', unloaded.Select(MiB))}; a load adds {(double)added / weights:F2} of its weights, drift {drift:P1}, {stays:P1} stays";
        TestContext.Current.TestOutputHelper?.WriteLine(figures);

        Assert.True(drift < 0.05, figures);
        Assert.True(stays < 0.15, figures);
        Assert.True(added < 3 * weights, figures);
    }

    private static string MiB(long bytes) => (bytes >> 20).ToString(CultureInfo.InvariantCulture);

    /// <summary>Bytes of the process that are in memory.</summary>
    private static long Resident(ServerProcess server)
    {
        var line = File.ReadLines($"/proc/{server.ProcessId}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    private static async Task UnloadAsync(HttpClient client, string model)
    {
        using var unload = await client.PostAsync($"/api/v1/models/{model}/unload", content: null, Cancel);
        Assert.Equal(HttpStatusCode.OK, unload.StatusCode);
        for (var i = 0; ; i++)
        {
            using var answer = await client.GetAsync("/api/v1/running", Cancel);
            if (Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("items").GetArrayLength() == 0)
            {
                return;
            }

            Assert.True(i < 600, $"{model} was not unloaded");
            await Task.Delay(100, Cancel);
        }
    }
}
#endif
