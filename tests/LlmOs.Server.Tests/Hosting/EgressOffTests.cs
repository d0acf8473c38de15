using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>What a server sends to other machines, counted by the kernel: it runs in a network of its own that leads nowhere.</summary>
public sealed class EgressOffTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_egress_off_nothing_is_sent_to_another_machine_whatever_is_asked()
    {
        Assert.SkipUnless(await OwnNetwork.IsAllowedAsync(), "network: a network of its own is made by root");
        await using var server = await StartAsync("off");
        using var client = server.Client();

        foreach (var source in new[] { "hf:org/model", "https://huggingface.co/org/model/resolve/main/model.gguf", "https://203.0.113.7/model.gguf", "http://localhost/model.gguf" })
        {
            using var refused = await client.PostAsync("/api/v1/models/import", Json.Body(new { source, name = "m" }), Cancel);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("not_allowed", Json.Parse(await refused.Content.ReadAsStringAsync(Cancel)).GetProperty("code").GetString());
        }

        foreach (var page in new[] { "/", "/console/models", "/swagger", "/openapi/v1.json", "/api/v1/catalogue", "/api/v1/nodes", "/v1/models" })
        {
            await client.GetAsync(page, Cancel);
        }

        await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once", max_tokens = 3 });
        using var made = await client.PostAsync("/api/v1/evaluations", Json.Body(new { kind = "multiple_choice", model = "starter", rows = new[] { new { context = "Once upon a", choices = new[] { "time", "spoon" }, answer = 0 } } }), Cancel);
        Assert.Equal(HttpStatusCode.Accepted, made.StatusCode);
        await client.WaitForJobAsync($"{made.Headers.Location}");

        Assert.Equal(0, OwnNetwork.AttemptsOutside(server.ProcessId));
    }

    [Fact]
    public async Task With_an_address_allowed_the_attempt_to_reach_it_is_counted()
    {
        Assert.SkipUnless(await OwnNetwork.IsAllowedAsync(), "network: a network of its own is made by root");
        await using var server = await StartAsync("203.0.113.7");
        using var client = server.Client();

        using var made = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = "https://203.0.113.7/model.gguf", name = "m" }), Cancel);
        Assert.Equal(HttpStatusCode.Accepted, made.StatusCode);

        while (OwnNetwork.AttemptsOutside(server.ProcessId) == 0)
        {
            await Task.Delay(20, Cancel);
        }
    }

    private static Task<ServerProcess> StartAsync(string egress) =>
        ServerProcess.StartAsync(new ServerStart { OwnNetwork = true, Environment = new Dictionary<string, string?> { ["LLMOS_EGRESS"] = egress } });
}
