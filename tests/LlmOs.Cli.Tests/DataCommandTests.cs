using System.Text.Json;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;

namespace LlmOs.Cli.Tests;

public sealed class DataCommandTests
{
    [Theory]
    [InlineData("alpaca", "shape: alpaca, for sft; 2 of 3 rows do not fit", "  row 2: output is empty.")]
    [InlineData(null, "shape: none that is known; the step rows converts nothing of it", null)]
    public async Task A_data_set_is_shown_with_its_shape_and_the_rows_that_do_not_fit(string? shape, string line, string? fault)
    {
        DatasetColumn[] columns = [new("instruction", "text"), new("output", "text")];
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/datasets/d/versions/1", () => new DatasetVersionView(
                "d", 1, "d:1", 3, columns, new Dictionary<string, long> { ["train"] = 3 }, new string('a', 64), 10, null, new DatasetLineage(null, null, null, null), [], Answers.Day));
            app.MapGet("/api/v1/datasets/d/versions/1/statistics", () => new DatasetStatistics(3, []));
            app.MapGet("/api/v1/datasets/d/versions/1/shape", () => shape is null
                ? new DatasetShape("d:1", null, [], [], 3, 0, 0, [])
                : new DatasetShape("d:1", shape, ["sft"], [new("messages", "json")], 3, 3, 2, [new(2, "output", "empty", "is empty."), new(3, "output", "missing", "is missing.")]));
            app.MapGet("/api/v1/datasets/d/versions/1/rows", () => new Page<JsonElement>([], null));
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "data", "show", "d:1");

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var lines = outcome.Output.Split('\n');
        Assert.Contains(line, lines);
        Assert.True(fault is null || lines.Contains(fault), outcome.Output);
    }
}
