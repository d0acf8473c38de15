using System.Text.Json;
using LlmOs.Apps.Running;
using LlmOs.Apps.Studio;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Apps.Tests.Running;

public class AppRunnerTests
{
    private static readonly AppTemplate StoryWriter = TemplateCatalogue.Load().Get("story-writer", "template");

    [Fact]
    public async Task A_story_is_the_opening_and_its_continuation_with_what_it_cost()
    {
        var text = new ScriptedText(" there", "", " was.");

        await using var turn = await StartAsync(text, """{"opening":"Once","length":8}""");
        var reply = await turn.WholeAsync(CancellationToken.None);

        Assert.Equal("Once there was.", reply.Output["story"]);
        Assert.Equal("starter:1", reply.Model);
        Assert.Equal(new AppUsage(7, 3, 10), reply.Usage);
        Assert.Equal(("starter@best", "Once", 8), (text.Name, Assert.Single(text.Asked!.Prompts).Text, text.Asked.Request.MaxTokens));
    }

    [Fact]
    public async Task Streamed_pieces_join_to_the_same_story_and_the_last_event_carries_the_cost()
    {
        await using var turn = await StartAsync(new ScriptedText(" there", "", " was."), """{"opening":"Once"}""");

        var events = await turn.Events(CancellationToken.None).ToListAsync();

        Assert.Equal(["Once", " there", " was."], events.SkipLast(1).Select(e => e.Delta["story"]));
        Assert.All(events.SkipLast(1), e => Assert.Null(e.Usage));
        Assert.Equal(new AppUsage(7, 3, 10), events[^1].Usage);
        Assert.Empty(events[^1].Delta);
    }

    [Fact]
    public async Task The_apps_settings_go_before_the_templates()
    {
        var text = new ScriptedText();

        await (await StartAsync(text, """{"opening":"Once"}""", new AppSettings { Temperature = 0, Seed = 5 })).DisposeAsync();

        var sampling = text.Asked!.Request.Sampling;
        Assert.Equal((0, 5L), (sampling.Temperature, text.Asked.Seed));
        Assert.Equal(StoryWriter.Settings.TopP, sampling.TopP);
        Assert.Equal(0, sampling.TopK);
        Assert.Equal(120, text.Asked.Request.MaxTokens);
        Assert.Equal(1, text.Ended);
        Assert.Equal(new GenerationCaller(KeyId: "key_2", App: "tales"), text.Caller);
    }

    [Theory]
    [InlineData("""{}""", "inputs.opening", "is missing")]
    [InlineData("""{"opening":null}""", "inputs.opening", "expected a text, got null")]
    [InlineData("""{"opening":7}""", "inputs.opening", "expected a text, got a number")]
    [InlineData("""{"opening":"  "}""", "inputs.opening", "must not be empty")]
    [InlineData("""{"opening":"a","length":7}""", "inputs.length", "from 8 to 200, got 7")]
    [InlineData("""{"opening":"a","length":1e308}""", "inputs.length", "from 8 to 200")]
    [InlineData("""{"opening":"a","length":9.5}""", "inputs.length", "got 9.5")]
    [InlineData("""{"opening":"a","length":"20"}""", "inputs.length", "got a text")]
    [InlineData("""{"opening":"a","lenght":20}""", "inputs.lenght", "no such input; it has opening, length")]
    public async Task A_wrong_input_is_refused_by_its_name(string inputs, string field, string expected)
    {
        var text = new ScriptedText();

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => StartAsync(text, inputs));

        Assert.Equal((ErrorCode.InvalidRequest, field), (refusal.Code, refusal.Field));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.Null(text.Asked);
    }

    [Fact]
    public async Task A_text_over_its_limit_is_refused_with_both_numbers_and_every_fault_is_named()
    {
        var inputs = JsonSerializer.Serialize(new { opening = new string('a', 601), length = -1 });

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => StartAsync(new ScriptedText(), inputs));

        Assert.Contains("has 601 characters; at most 600", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["inputs.length", "inputs.opening"], refusal.Errors!.Keys.Order(StringComparer.Ordinal));
    }

    private static Task<AppTurn> StartAsync(ScriptedText text, string inputs, AppSettings? settings = null)
    {
        var app = new App
        {
            Slug = "tales",
            Template = StoryWriter.Name,
            Model = "starter@best",
            Settings = JsonSerializer.Serialize(settings ?? new AppSettings(), LlmOsJson.Options),
            KeyId = "key_1",
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        return new AppRunner(text).StartAsync(app, StoryWriter, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(inputs)!, new GenerationCaller(KeyId: "key_2"), CancellationToken.None);
    }
}
