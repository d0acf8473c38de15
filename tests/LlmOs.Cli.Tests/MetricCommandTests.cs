using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public sealed class MetricCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-metric-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Lines_of_files_are_scored_as_rows_with_all_their_references()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost(
            "/api/v1/metrics/bleu",
            () => Results.Content("""{"metric":"bleu","score":41.25,"signature":"nrefs:2","scores":[50,null],"details":{}}""", "application/json")));

        var outcome = await LlmosCommand.RunAsync(
            new(server.Address), "metric", "bleu", "-p", File("p", "a\nb\n"), "-r", File("r1", "c\nd\n"), "-r", File("r2", "e\nf\n"), "-o", "tokenize=intl", "-o", "lowercase=true", "--rows");

        Assert.Equal((0, "50\n-\nbleu 41.25  nrefs:2\n"), (outcome.Code, outcome.Output));
        using var body = JsonDocument.Parse(Assert.Single(server.Requests).Body);
        Assert.Equal("""[["c","e"],["d","f"]]""", body.RootElement.GetProperty("references").GetRawText());
        Assert.Equal("""{"tokenize":"intl","lowercase":true}""", body.RootElement.GetProperty("options").GetRawText());
    }

    [Fact]
    public async Task Files_that_do_not_fit_together_are_told_apart_before_anything_is_sent()
    {
        await using var server = await LoopbackServer.StartAsync(_ => { });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "metric", "wer", "-p", File("p", "a\nb\n"), "-r", File("r", "c\n"));

        Assert.Equal(2, outcome.Code);
        Assert.Contains("1 lines", outcome.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Without_a_name_the_metrics_are_listed_with_their_options()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapGet(
            "/api/v1/metrics",
            () => Results.Content("""{"items":[{"name":"wer","description":"x.","scale":1,"higher_is_better":false,"many_references":false,"options":[{"name":"beta","default":2}]}],"next":null}""", "application/json")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "metric");

        Assert.Equal(["NAME", "SCALE", "BETTER", "OPTIONS", "wer", "1", "lower", "beta=2"], outcome.Output.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
