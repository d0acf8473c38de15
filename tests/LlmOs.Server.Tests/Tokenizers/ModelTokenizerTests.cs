using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Tokenizers;

/// <summary>Models whose tokenizer came in one of the older forms.</summary>
public sealed class ModelTokenizerTests(ServerProcess server)
{
    [Fact]
    public async Task A_model_with_SentencePieces_file_alone_answers_as_with_its_tokenizer_json()
    {
        var published = SharedFolder.Require("models", "stories260K", "hf");
        var folder = Path.Combine(server.Data, "import", "stories");
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(published, file), Path.Combine(folder, file));
        }

        File.Copy(SharedFolder.Require("models", "stories260K", "tok512.model"), Path.Combine(folder, "tokenizer.model"));
        using var client = server.Client();
        using var answer = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = $"file:{folder}", name = "older-form" }));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}");

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "older-form", prompt = "Once upon a time, there was", max_tokens = 24, temperature = 0, return_token_ids = true });
        var encoded = await client.PostJsonAsync("/api/v1/tokenizers/older-form/encode", new { texts = new[] { "Once upon a time, there was" } });
        var version = await client.GetFromJsonAsync<JsonElement>("/api/v1/models/older-form/versions/1");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal([1, 403, 407, 261, 378], encoded.GetProperty("ids")[0].Ids()[..5]);
        Assert.Equal(encoded.GetProperty("ids")[0].Ids(), reply.GetProperty("choices")[0].GetProperty("prompt_token_ids").Ids());
        Assert.StartsWith(" a little girl", reply.GetProperty("choices")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("tokenizer.model", version.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("path").GetString()));
    }
}
