using System.Text.Json;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public sealed class ModelCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llmos-cli-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("smollm2-135m-instruct", "hf:HuggingFaceTB/SmolLM2-135M-Instruct@0123", "smollm2-135m-instruct")]
    [InlineData("HuggingFaceTB/SmolLM2-360M-Instruct", "hf:HuggingFaceTB/SmolLM2-360M-Instruct", "smollm2-360m-instruct")]
    [InlineData("hf:Org/My+Model@v1#q4.gguf", "hf:Org/My+Model@v1#q4.gguf", "my-model")]
    public async Task Pull_finds_a_name_in_the_catalogue_and_a_repository_by_itself(string word, string source, string name)
    {
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/catalogue", () => new Page<CatalogueEntry>(
                [new("smollm2-135m-instruct", "hf:HuggingFaceTB/SmolLM2-135M-Instruct@0123", "text-generation", "LlamaForCausalLM", true, 134_515_008, 8192, "apache-2.0", 1, 2)], null));
            app.MapPost("/api/v1/models/import", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202));
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "pull", word, "--detach");

        Assert.Equal((0, "job_1\n", ""), (outcome.Code, outcome.Output, outcome.Error));
        using var body = JsonDocument.Parse(server.Requests.Last().Body);
        Assert.Equal((source, name), (body.RootElement.GetProperty("source").GetString(), body.RootElement.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task A_word_that_the_catalogue_lacks_is_a_usage_error_that_lists_it()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapGet("/api/v1/catalogue", () => new Page<CatalogueEntry>(
            [new("smollm2-135m-instruct", "hf:a/b@0", "text-generation", "LlamaForCausalLM", true, 1, 1, "mit", 1, 1)], null)));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "pull", "nothing");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("smollm2-135m-instruct", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_are_shown_copied_and_removed()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/models/m", () => new ModelView("m", new Dictionary<string, int> { ["latest"] = 2 }, [1, 2], "text-generation", Answers.Day));
            app.MapGet("/api/v1/models/m/versions/2", () => new ModelVersionView(
                "m", 2, ModelVersionState.Ready, "text-generation", "LlamaForCausalLM", 134_515_008, 8192, 49152, "f32", 1000, "mit", [new("config.json", new string('a', 64), 1000)], null,
                new LineageView(null, null, []) { Source = "hf:org/m@0123" }, [], new Dictionary<string, string> { ["team"] = "search" }, Answers.Day));
            app.MapPost("/api/v1/models/m/versions/2/copy", () => Results.Json(new ModelJobResult("n", 1, "n:1"), LlmOsJson.Options, statusCode: 201));
            app.MapDelete("/api/v1/models/m/versions/1", () => Results.NoContent());
            app.MapDelete("/api/v1/models/m", () => Results.NoContent());
        });

        var show = await LlmosCommand.RunAsync(new(server.Address), "show", "m:latest");
        var copy = await LlmosCommand.RunAsync(new(server.Address), "cp", "m", "n");
        var remove = await LlmosCommand.RunAsync(new(server.Address), "rm", "m:1", "m");

        foreach (var word in new[] { "m:2", "135 M", "hf:org/m@0123", "team=search", "config.json" })
        {
            Assert.Contains(word, show.Output, StringComparison.Ordinal);
        }

        Assert.Equal((0, "n:1\n"), (copy.Code, copy.Output));
        Assert.Equal((0, "deleted m:1\ndeleted m\n"), (remove.Code, remove.Output));
        Assert.Equal(["DELETE /api/v1/models/m/versions/1", "DELETE /api/v1/models/m"], server.Requests.Where(r => r.Method == "DELETE").Select(r => $"{r.Method} {r.Path}"));
    }

    [Fact]
    public async Task Models_in_memory_are_listed_loaded_and_stopped()
    {
        var there = new Page<RunningModel>([new RunningModel("m", 2, RunningState.Ready, 1, 135_000_000, 2_000, 1, 0, null, true), new RunningModel("n", 1, RunningState.Loading, 0.5, 0, 0, 1, 0, null, false)], null);
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/running", () => Results.Json(there, LlmOsJson.Options));
            app.MapPost("/api/v1/models/{name}/load", () => Results.Json(there, LlmOsJson.Options));
            app.MapPost("/api/v1/models/{name}/unload", () => Results.Json(there with { Items = [] }, LlmOsJson.Options));
        });

        var list = await LlmosCommand.RunAsync(new(server.Address), "ps");
        var json = await LlmosCommand.RunAsync(new(server.Address), "ps", "--json");
        var load = await LlmosCommand.RunAsync(new(server.Address), "load", "m:2", "--keep-alive", "60", "--pin");
        using var body = JsonDocument.Parse(server.Requests.Last().Body);
        var stop = await LlmosCommand.RunAsync(new(server.Address), "stop", "m");

        foreach (var word in new[] { "m:2", "135 MB", "pinned", "n:1", "loading 50" })
        {
            Assert.Contains(word, list.Output, StringComparison.Ordinal);
        }

        using var printed = JsonDocument.Parse(json.Output);
        Assert.Equal(2, printed.RootElement.GetProperty("items").GetArrayLength());
        Assert.Equal((60, true), (body.RootElement.GetProperty("keep_alive").GetDouble(), body.RootElement.GetProperty("pinned").GetBoolean()));
        Assert.Equal((0, 0), (load.Code, stop.Code));
        Assert.StartsWith("No model is in memory", stop.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Modelfile_makes_a_copy_with_its_own_texts()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/models/base", () => new ModelView("base", new Dictionary<string, int> { ["latest"] = 3 }, [3], "text-generation", Answers.Day));
            app.MapGet("/api/v1/models/base/versions/3", () => new ModelVersionView(
                "base", 3, ModelVersionState.Ready, "text-generation", "LlamaForCausalLM", 1, 1, 1, "f32", 1, null, [new("chat_template.jinja", new string('a', 64), 10)], null,
                new LineageView(null, null, []), [], new Dictionary<string, string>(), Answers.Day));
            app.MapGet("/api/v1/models/base/versions/3/files/chat_template.jinja", () => "{{ messages }}");
            app.MapPost("/api/v1/models/base/versions/3/copy", () => Results.Json(new ModelJobResult("mine", 1, "mine:1"), LlmOsJson.Options, statusCode: 201));
        });
        var file = Path.Combine(_folder.FullName, "Modelfile");
        File.WriteAllText(file, "# mine\nFROM base\nSYSTEM \"\"\"You're a \"teller\"\nof tales.\"\"\"\nLICENSE \"MIT\"\n");

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "create", "mine", "-f", file);

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Equal("mine:1 is ready: llmos run mine:1\n", outcome.Output);
        using var body = JsonDocument.Parse(server.Requests.Last().Body);
        var files = body.RootElement.GetProperty("files");
        Assert.Equal("MIT", files.GetProperty("LICENSE").GetString());
        var template = files.GetProperty("chat_template.jinja").GetString();
        Assert.Contains(@"'content': 'You\'re a ""teller""\nof tales.'", template, StringComparison.Ordinal);
        Assert.EndsWith("{{ messages }}", template, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FROM m\nPARAMETER temperature 0.7\n", "line 2: PARAMETER temperature")]
    [InlineData("FROM m\nADAPTER ./lora\n", "line 2: ADAPTER")]
    [InlineData("FROM m\nMESSAGE user hi\n", "line 2: MESSAGE")]
    [InlineData("FROM m\nREQUIRES 0.6\n", "line 2: REQUIRES")]
    [InlineData("FROM m\nTEMPLATE \"\"\"{{ if .System }}{{ .System }}{{ end }}\"\"\"\n", "Go's template language")]
    [InlineData("FROM m\nFROM n\n", "twice")]
    [InlineData("FROM m\nTEMPLATE \"\"\"open\n", "not closed")]
    [InlineData("FROM m\nNONSENSE x\n", "'NONSENSE' is no instruction")]
    [InlineData("SYSTEM x\n", "no FROM")]
    [InlineData("FROM\n", "has no value")]
    public void What_cannot_be_honoured_is_refused_by_name(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<UsageException>(() => Modelfile.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_file_of_this_machine_is_sent_first_and_a_cut_upload_goes_on()
    {
        var file = Path.Combine(_folder.FullName, "m.llmos");
        var content = new byte[20 << 20];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(file, content);
        long received = 0;
        var failures = 1;
        UploadView View(long at) => new("upload_1", "m.llmos", content.Length, at, null, at == content.Length ? UploadState.Finished : UploadState.Receiving, Answers.Day, Answers.Day);
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/api/v1/uploads", () => View(0));
            app.MapGet("/api/v1/uploads/upload_1", () => View(received));
            app.MapPut("/api/v1/uploads/upload_1", async (HttpContext http) =>
            {
                if (received > 0 && failures-- > 0)
                {
                    http.Abort();
                    return Results.Empty;
                }

                Assert.Equal($"bytes {received}-{Math.Min(received + (16 << 20), content.Length) - 1}/{content.Length}", http.Request.Headers.ContentRange.ToString());
                received += http.Request.ContentLength!.Value;
                await http.Request.Body.CopyToAsync(Stream.Null);
                return Results.Json(View(received), LlmOsJson.Options);
            });
            app.MapPost("/api/v1/models/import", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202));
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "import", file, "--name", "m", "--upload", "--detach");

        Assert.Equal((0, "job_1\n", ""), (outcome.Code, outcome.Output, outcome.Error));
        Assert.Equal(content.Length, received);
        Assert.Contains("\"source\":\"upload:upload_1\"", server.Requests.Last().Body, StringComparison.Ordinal);
    }
}
