using System.Net;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Tests.Registry;

/// <summary>What happens to a model after it was listed: tags, card, aliases and their history, copies, lineage, archive. Over HTTP.</summary>
public sealed class ModelLifeTests : RegistryHttpTests
{
    [Fact]
    public async Task Every_move_of_an_alias_is_kept_with_who_and_why_and_can_be_rolled_back()
    {
        for (var i = 0; i < 3; i++)
        {
            await World.PublishAsync(RegistryWorld.Version("org/m") with { Lineage = new LineageView(null, $"job_{i}", []) });
        }

        await SendAsync(HttpMethod.Put, "/api/v1/models/org/m/aliases/latest", new { version = 1, expected = 3, reason = "3 is worse" });
        await SendAsync(HttpMethod.Put, "/api/v1/models/org/m/aliases/latest", new { version = 2 });
        var back = await SendAsync(HttpMethod.Post, "/api/v1/models/org/m/aliases/latest/rollback", new { expected = 2 });
        var late = await SendAsync(HttpMethod.Post, "/api/v1/models/org/m/aliases/latest/rollback", new { expected = 2 });
        var further = await SendAsync(HttpMethod.Post, "/api/v1/models/org%2Fm/aliases/latest/rollback", new { });

        Assert.Equal(1, back.Body.GetProperty("version").GetInt32());
        Assert.Equal(HttpStatusCode.Conflict, late.Status);
        Assert.Equal(3, further.Body.GetProperty("version").GetInt32());
        var history = (await SendAsync(HttpMethod.Get, "/api/v1/models/org/m/aliases/latest?limit=5")).Body;
        Assert.Equal(3, history.GetProperty("version").GetInt32());
        Assert.Equal(["rolled_back", "rolled_back", "set", "set", "set"], history.GetProperty("items").EnumerateArray().Select(c => c.GetProperty("kind").GetString()));
        Assert.Equal("3 is worse", history.GetProperty("items")[3].GetProperty("reason").GetString());
        Assert.Equal("job_2", history.GetProperty("items")[4].GetProperty("by").GetString());
        var rest = (await SendAsync(HttpMethod.Get, $"/api/v1/models/org/m/aliases/latest?after={history.GetProperty("next").GetString()}")).Body;
        Assert.Equal([2, 1], rest.GetProperty("items").EnumerateArray().Select(c => c.GetProperty("to").GetInt32()));
    }

    [Fact]
    public async Task An_alias_can_be_taken_away_if_it_points_where_the_caller_believes()
    {
        await World.PublishAsync(RegistryWorld.Version("m"));

        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/aliases/latest?expected=2")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/aliases/latest?expected=1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/aliases/latest")).Status);
        Assert.Equal(JsonValueKind.Null, (await SendAsync(HttpMethod.Get, "/api/v1/models/m/aliases/latest")).Body.GetProperty("version").ValueKind);
    }

    [Fact]
    public async Task Models_are_found_by_their_tags_and_tasks()
    {
        await World.PublishAsync(RegistryWorld.Version("a"));
        await World.PublishAsync(RegistryWorld.Version("b") with { Tags = new Dictionary<string, string> { ["stage"] = "candidate" } });
        await SendAsync(HttpMethod.Patch, "/api/v1/models/a", new { tags = new Dictionary<string, string> { ["team"] = "Search", ["old"] = "x" } });
        await SendAsync(HttpMethod.Patch, "/api/v1/models/a", new { tags = new Dictionary<string, string?> { ["old"] = null } });

        async Task<string> FindAsync(string query) =>
            string.Join(',', (await SendAsync(HttpMethod.Get, $"/api/v1/models?{query}")).Body.GetProperty("items").EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        Assert.Equal("a", await FindAsync("tag=team"));
        Assert.Equal("a", await FindAsync("tag=team:Search"));
        Assert.Equal("", await FindAsync("tag=team:other"));
        Assert.Equal("", await FindAsync("tag=old"));
        Assert.Equal("b", await FindAsync("tag=stage:candidate"));
        Assert.Equal("a", await FindAsync("query=Search"));
        Assert.Equal("a,b", await FindAsync("task=text-generation"));
        Assert.Equal("", await FindAsync("task=fill-mask"));
        var a = (await SendAsync(HttpMethod.Get, "/api/v1/models/a")).Body;
        Assert.Equal("""{"team":"Search"}""", a.GetProperty("tags").GetRawText());
        Assert.Equal((1, "f32", 64), (a.GetProperty("latest").GetProperty("version").GetInt32(), a.GetProperty("latest").GetProperty("precision").GetString(), a.GetProperty("latest").GetProperty("context_length").GetInt32()));
    }

    [Fact]
    public async Task A_version_has_tags_of_its_own()
    {
        await World.PublishAsync(RegistryWorld.Version("m"));

        var good = await SendAsync(HttpMethod.Patch, "/api/v1/models/m/versions/1", new { tags = new { stage = "live" } });
        var bad = await SendAsync(HttpMethod.Patch, "/api/v1/models/m/versions/1", new { tags = new Dictionary<string, string> { ["A b"] = "x" } });

        Assert.Equal("live", good.Body.GetProperty("tags").GetProperty("stage").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, bad.Status);
    }

    [Fact]
    public async Task Of_two_writers_of_a_card_the_second_learns_of_the_first()
    {
        var folder = World.WriteModel("m");
        await File.WriteAllTextAsync(Path.Combine(folder, "README.md"), "---\nlicense: mit\n---\n# From the file\n");
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });

        var before = await SendAsync(HttpMethod.Get, "/api/v1/models/m/card");
        var first = await SendAsync(HttpMethod.Put, "/api/v1/models/m/card", new { markdown = "# First\n" }, ifMatch: before.Tag);
        var second = await SendAsync(HttpMethod.Put, "/api/v1/models/m/card", new { markdown = "# Second\n" }, ifMatch: before.Tag);
        var bad = await SendAsync(HttpMethod.Put, "/api/v1/models/m/card", new { markdown = "---\n[\n---\n" });

        Assert.Equal(("m:1", "mit"), (before.Body.GetProperty("source").GetString(), before.Body.GetProperty("facts").GetProperty("license").GetString()));
        Assert.Equal(("model", "<h1>First</h1>\n"), (first.Body.GetProperty("source").GetString(), first.Body.GetProperty("html").GetString()));
        Assert.NotEqual(before.Tag, first.Tag);
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.BadRequest), (second.Status, bad.Status));
        Assert.Equal("m:1", (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/card", ifMatch: first.Tag)).Body.GetProperty("source").GetString());
    }

    [Fact]
    public async Task A_model_can_be_made_before_it_has_versions()
    {
        var made = await SendAsync(HttpMethod.Post, "/api/v1/models", new { name = "new", card = "# New\n", tags = new { team = "x" } });
        var again = await SendAsync(HttpMethod.Post, "/api/v1/models", new { name = "new" });
        var version = await World.PublishAsync(RegistryWorld.Version("new"));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict), (made.Status, again.Status));
        Assert.Equal("new:1", version.Ref);
        Assert.Equal("# New\n", (await SendAsync(HttpMethod.Get, "/api/v1/models/new/card")).Body.GetProperty("markdown").GetString());
    }

    [Fact]
    public async Task What_is_referred_to_is_neither_archived_nor_deleted_and_the_refusal_names_who_refers()
    {
        await World.PublishAsync(RegistryWorld.Version("base"));
        await World.PublishAsync(RegistryWorld.Version("base"));
        await World.PublishAsync(RegistryWorld.Version("child") with { Lineage = new LineageView("base:1", null, []) { Relation = LineageRelation.FineTuned } });
        await World.PublishAsync(RegistryWorld.Version("lora") with { Lineage = new LineageView("base:1", null, []) { Relation = LineageRelation.Adapter } });
        await using (var db = await World.DbAsync())
        {
            db.Add(Job.Submit("training", """{"name":"next","base":"base:1"}""", 0, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
        }

        var first = await SendAsync(HttpMethod.Delete, "/api/v1/models/base/versions/1");
        var second = await SendAsync(HttpMethod.Patch, "/api/v1/models/base/versions/2", new { archived = true });
        var whole = await SendAsync(HttpMethod.Delete, "/api/v1/models/base");
        var children = await SendAsync(HttpMethod.Delete, "/api/v1/models/child");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict, HttpStatusCode.Conflict, HttpStatusCode.NoContent), (first.Status, second.Status, whole.Status, children.Status));
        var message = first.Body.GetProperty("message").GetString();
        Assert.Contains("child 'child:1'", message, StringComparison.Ordinal);
        Assert.Contains("adapter 'lora:1'", message, StringComparison.Ordinal);
        Assert.Contains("job 'job_", message, StringComparison.Ordinal);
        Assert.Contains("alias 'latest'", second.Body.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("alias", whole.Body.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nothing_refers_to_can_go_and_its_number_never_comes_back()
    {
        await World.PublishAsync(RegistryWorld.Version("m", alias: "live"));
        await World.PublishAsync(RegistryWorld.Version("m"));

        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m")).Status); // alias live
        await SendAsync(HttpMethod.Delete, "/api/v1/models/m/aliases/live");
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/versions/1")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/api/v1/models/m")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/api/v1/models/m/versions")).Status);
        Assert.Equal(0, (await SendAsync(HttpMethod.Get, "/api/v1/models")).Body.GetProperty("items").GetArrayLength());
        Assert.Equal("m:3", (await World.PublishAsync(RegistryWorld.Version("m"))).Ref);
    }

    [Fact]
    public async Task An_archived_version_or_model_answers_no_request_until_it_is_taken_back()
    {
        await World.PublishAsync(RegistryWorld.Version("m", alias: null));
        async Task<bool> AnswersAsync()
        {
            await using var db = await World.DbAsync();
            return await ModelResolver.FindAsync(db, "m:1", CancellationToken.None) is not null;
        }

        await SendAsync(HttpMethod.Patch, "/api/v1/models/m/versions/1", new { archived = true });
        Assert.False(await AnswersAsync());
        await SendAsync(HttpMethod.Patch, "/api/v1/models/m/versions/1", new { archived = false });
        Assert.True(await AnswersAsync());
        await SendAsync(HttpMethod.Patch, "/api/v1/models/m", new { archived = true });
        Assert.False(await AnswersAsync());
        Assert.Equal(0, (await SendAsync(HttpMethod.Get, "/api/v1/models")).Body.GetProperty("items").GetArrayLength());
        Assert.Equal(1, (await SendAsync(HttpMethod.Get, "/api/v1/models?archived=true")).Body.GetProperty("items").GetArrayLength());
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => World.PublishAsync(RegistryWorld.Version("m")));
        Assert.Equal(ErrorCode.Conflict, refusal.Code);
    }

    [Fact]
    public async Task The_lineage_shows_ancestors_descendants_and_what_each_was_made_with()
    {
        await World.PublishAsync(RegistryWorld.Version("base") with { Lineage = new LineageView("elsewhere:7", null, []) { Source = "hf:org/base@0123" } });
        await World.PublishAsync(RegistryWorld.Version("tuned") with
        {
            Lineage = new LineageView("base:1", "job_1", ["books:2"]) { Relation = LineageRelation.FineTuned },
            Metrics = [JsonSerializer.SerializeToElement(new { evaluation = "eval_1", perplexity = 3.5 })],
        });
        await World.PublishAsync(RegistryWorld.Version("small") with { Lineage = new LineageView("tuned:1", "job_2", []) { Relation = LineageRelation.Quantized } });

        var graph = (await SendAsync(HttpMethod.Get, "/api/v1/models/tuned/versions/1/lineage")).Body;

        Assert.Equal("version/tuned:1", graph.GetProperty("root").GetString());
        Assert.Equal(
            ["dataset/books:2", "evaluation/eval_1", "job/job_1", "job/job_2", "source/hf:org/base@0123", "version/base:1", "version/elsewhere:7", "version/small:1", "version/tuned:1"],
            graph.GetProperty("nodes").EnumerateArray().Select(n => n.GetProperty("id").GetString()));
        Assert.Contains(graph.GetProperty("nodes").EnumerateArray(), n => n.GetProperty("name").GetString() == "elsewhere:7" && !n.GetProperty("known").GetBoolean());
        var edges = graph.GetProperty("edges").EnumerateArray().Select(e => $"{e.GetProperty("from").GetString()} {e.GetProperty("relation").GetString()} {e.GetProperty("to").GetString()}").ToList();
        Assert.Contains("version/base:1 fine_tuned version/tuned:1", edges);
        Assert.Contains("version/tuned:1 quantized version/small:1", edges);
        Assert.Contains("evaluation/eval_1 judged version/tuned:1", edges);
        Assert.False(graph.GetProperty("truncated").GetBoolean());
    }

    [Fact]
    public async Task A_circle_that_somebody_imported_ends()
    {
        await World.PublishAsync(RegistryWorld.Version("a") with { Lineage = new LineageView("b:1", null, []) });
        await World.PublishAsync(RegistryWorld.Version("b") with { Lineage = new LineageView("a:1", null, []) });

        var graph = (await SendAsync(HttpMethod.Get, "/api/v1/models/a/versions/1/lineage")).Body;

        Assert.Equal((2, 2), (graph.GetProperty("nodes").GetArrayLength(), graph.GetProperty("edges").GetArrayLength()));
    }

    [Fact]
    public async Task A_copy_has_the_same_weights_and_its_own_texts()
    {
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{World.WriteModel("m")}", Name = "m" });

        var copy = await SendAsync(HttpMethod.Post, "/api/v1/models/m/versions/1/copy", new { name = "org/copy", files = new Dictionary<string, string> { ["LICENSE"] = "MIT", ["README.md"] = "---\nlicense: mit\n---\n" } });
        var refused = await SendAsync(HttpMethod.Post, "/api/v1/models/m/versions/1/copy", new { name = "org/copy", files = new Dictionary<string, string> { ["config.json"] = "{}" } });

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.BadRequest), (copy.Status, refused.Status));
        var view = (await SendAsync(HttpMethod.Get, "/api/v1/models/org/copy/versions/1")).Body;
        Assert.Equal(("mit", "m:1", "copied"), (view.GetProperty("license").GetString(), view.GetProperty("lineage").GetProperty("parent").GetString(), view.GetProperty("lineage").GetProperty("relation").GetString()));
        Assert.Equal("MIT", await Http.GetStringAsync("/api/v1/models/org/copy/versions/1/files/LICENSE"));
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, "/api/v1/models/m/versions/1")).Status); // its child
    }
}
