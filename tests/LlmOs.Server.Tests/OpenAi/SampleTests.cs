using System.Text;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>What the samples folder shows about inference works as it stands there.</summary>
public class SampleTests(ModelServer server)
{
    [Theory]
    [InlineData("completions.http", 6)]
    [InlineData("chat.http", 3)]
    [InlineData("pipelines.http", 4)]
    [InlineData("chat-templates.http", 5)]
    [InlineData("tokenizers.http", 5)]
    [InlineData("usage.http", 4)]
    [InlineData("tgi.http", 3)]
    public async Task Every_request_is_answered(string file, int requests)
    {
        using var client = await server.ReadyAsync();
        // The starter may not be there; any model will do for the shape of a request.
        var text = (await File.ReadAllTextAsync(Path.Combine(SharedFolder.Repository, "samples", file)))
            .Replace("starter", ModelServer.Stories, StringComparison.Ordinal)
            .Replace("""{"inputs":""", $$"""{"model":"{{ModelServer.Stories}}","inputs":""", StringComparison.Ordinal);
        var samples = text.Split("###").Skip(1).ToList();

        Assert.Equal(requests, samples.Count);
        foreach (var sample in samples)
        {
            var lines = sample.Trim().Split('\n');
            var start = lines[1].Split(' ');
            using var request = new HttpRequestMessage(HttpMethod.Parse(start[0]), start[1].Replace("{{server}}", "", StringComparison.Ordinal));
            if (lines.SkipWhile(line => line.Length > 0).Skip(1).FirstOrDefault() is { } body)
            {
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            }

            using var answer = await client.SendAsync(request);

            Assert.True(answer.IsSuccessStatusCode, $"{lines[0]}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
