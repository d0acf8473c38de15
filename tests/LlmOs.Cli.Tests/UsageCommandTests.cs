using System.Text.Json;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;

namespace LlmOs.Cli.Tests;

public sealed class UsageCommandTests
{
    private static readonly UsageTotals Tales = new(3, 1200, 400, 90, 5, 1500, 6500);
    private static readonly UsageTotals Vectors = new(1, 70000, 0, 0, 1, 63000, 0);

    [Fact]
    public async Task Totals_of_each_model_are_shown_with_those_of_all()
    {
        await using var server = await StartAsync(new UsageSummary("model", [new("encoder:1", Vectors), new("tales:2", Tales)], new UsageTotals(4, 71200, 400, 90, 6, 64500, 6500)));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "usage");

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Equal(
        [
            ["MODEL", "REQUESTS", "READ", "CACHED", "MADE", "TIME"],
            ["encoder:1", "1", "70000", "0", "0", "1 min 3 s"],
            ["tales:2", "3", "1200", "400", "90", "8 s"],
            ["total", "4", "71200", "400", "90", "1 min 11 s"],
        ], Rows(outcome.Output));
        Assert.Equal("/api/v1/usage/summary?by=model&limit=100", Assert.Single(server.Requests).Path);
    }

    [Fact]
    public async Task What_is_asked_for_goes_into_the_query()
    {
        await using var server = await StartAsync(new UsageSummary("day", [], new UsageTotals(0, 0, 0, 0, 0, 0, 0)));

        var outcome = await LlmosCommand.RunAsync(
            new(server.Address), "usage", "--by", "day", "--since", "2026-02-03", "--until", "2026-02-04T01:00:00+01:00", "--model", "org/tiny", "--key", "key_1", "--limit", "7");

        Assert.Equal((0, "No model ran in that time.\n"), (outcome.Code, outcome.Output));
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(Assert.Single(server.Requests).Path.Split('?')[1]);
        Assert.Equal(new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero), DateTimeOffset.Parse(query["since"]!, null));
        Assert.Equal(new DateTimeOffset(2026, 2, 4, 0, 0, 0, TimeSpan.Zero), DateTimeOffset.Parse(query["until"]!, null));
        Assert.Equal(("day", "org/tiny", "key_1", "7"), ((string?)query["by"], (string?)query["model"], (string?)query["key"], (string?)query["limit"]));
    }

    [Fact]
    public async Task The_last_days_begin_at_midnight_of_utc()
    {
        await using var server = await StartAsync(new UsageSummary("model", [], new UsageTotals(0, 0, 0, 0, 0, 0, 0)));

        var before = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        await LlmosCommand.RunAsync(new(server.Address), "usage", "--days", "7");
        var after = TimeProvider.System.GetUtcNow().UtcDateTime.Date;

        var since = DateTimeOffset.Parse(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(Assert.Single(server.Requests).Path.Split('?')[1])["since"]!, null);
        Assert.InRange(since.UtcDateTime, before.AddDays(-6), after.AddDays(-6));
        Assert.Equal(TimeSpan.Zero, since.UtcDateTime.TimeOfDay);
    }

    [Fact]
    public async Task Single_runs_are_listed_with_who_asked()
    {
        UsageView[] runs =
        [
            new("usage_2", Answers.Day, "sample", "tales", 4, 0, 12, 0, 3, 40.4, 0, "key_1", null, null, "job_1"),
            new("usage_1", Answers.Day, "chat", "tales:1", 20, 16, 5, 1, 2, 10, 0, "key_1", null, null, null),
        ];
        await using var server = await LoopbackServer.StartAsync(app => app.MapGet("/api/v1/usage", () => new Page<UsageView>(runs, "usage_1")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "usage", "list", "--limit", "2");

        Assert.Equal(
        [
            ["TIME", "OPERATION", "MODEL", "READ", "CACHED", "MADE", "MS", "CALLER"],
            ["2026-02-03 04:05:06Z", "sample", "tales", "4", "0", "12", "43", "job_1"],
            ["2026-02-03 04:05:06Z", "chat", "tales:1", "20", "16", "5", "13", "key_1"],
        ], Rows(outcome.Output));
        Assert.Equal("/api/v1/usage?limit=2", Assert.Single(server.Requests).Path);
    }

    [Fact]
    public async Task As_json_the_answer_is_the_servers()
    {
        await using var server = await StartAsync(new UsageSummary("key", [new(null, Tales)], Tales));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "usage", "--by", "key", "--json");

        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(90, json.RootElement.GetProperty("items")[0].GetProperty("totals").GetProperty("generated_tokens").GetInt32());
        Assert.Equal("key", json.RootElement.GetProperty("by").GetString());
    }

    [Theory]
    [InlineData("no time", "--since", "yesterday")]
    [InlineData("1 to", "--days", "0")]
    [InlineData("colour", "--by", "colour")]
    [InlineData("both say", "--days", "3", "--since", "2026-02-03")]
    public async Task What_cannot_be_meant_is_refused_before_anything_is_sent(string expected, params string[] options)
    {
        await using var server = await LoopbackServer.StartAsync(_ => { });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), ["usage", .. options]);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static Task<LoopbackServer> StartAsync(UsageSummary summary) => LoopbackServer.StartAsync(app => app.MapGet("/api/v1/usage/summary", () => summary));

    /// <summary>Cells are parted by two blanks at least.</summary>
    private static List<string[]> Rows(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
