using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>
/// What published models answered elsewhere (transformers 5.23.0; llama2.c for the story model) comes out over HTTP, id by id.
/// </summary>
public class GreedyReferenceTests(ModelServer server)
{
    private static readonly string[] Options = ["do_sample", "num_beams", "max_new_tokens", "max_length", "min_new_tokens", "repetition_penalty", "eos_token_id"];

    [Fact]
    public async Task Recorded_greedy_ids_come_out_alone()
    {
        using var client = await server.ReadyAsync();

        foreach (var expected in Cases())
        {
            await CheckAsync(client, expected);
        }
    }

    [Fact]
    public async Task Recorded_greedy_ids_come_out_eight_at_a_time()
    {
        using var client = await server.ReadyAsync();

        var cases = Cases().Concat(Cases()).ToList();
        await Parallel.ForEachAsync(cases, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (expected, _) => await CheckAsync(client, expected));
    }

    [Fact]
    public async Task The_story_model_writes_its_recorded_text()
    {
        using var client = await server.ReadyAsync();

        foreach (var vector in Stories())
        {
            var reply = await client.PostJsonAsync("/v1/completions", new
            {
                model = ModelServer.Stories,
                prompt = vector.GetProperty("prompt").GetString(),
                max_tokens = vector.GetProperty("greedy_ids").GetArrayLength(),
                temperature = 0,
            });

            Assert.Equal(vector.GetProperty("greedy_text").GetString(), reply.GetProperty("choices")[0].GetProperty("text").GetString());
        }
    }

    [Fact]
    public async Task A_list_of_prompts_is_answered_in_its_order()
    {
        using var client = await server.ReadyAsync();
        var stories = Stories();
        var max = stories.Min(s => s.GetProperty("greedy_ids").GetArrayLength());

        var reply = await client.PostJsonAsync("/v1/completions", new
        {
            model = ModelServer.Stories,
            prompt = stories.Select(s => s.GetProperty("prompt").GetString()),
            max_tokens = max,
            temperature = 0,
            return_token_ids = true,
        });

        var choices = reply.GetProperty("choices").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, stories.Count), choices.Select(c => c.GetProperty("index").GetInt32()));
        Assert.Equal(stories.Select(s => s.GetProperty("prompt_ids").Ids()), choices.Select(c => c.GetProperty("prompt_token_ids").Ids()));
        Assert.Equal(stories.Select(s => s.GetProperty("greedy_ids").Ids()[..max]), choices.Select(c => c.GetProperty("token_ids").Ids()));
        var usage = reply.GetProperty("usage");
        Assert.Equal(stories.Sum(s => s.GetProperty("prompt_ids").GetArrayLength()), usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(max * stories.Count, usage.GetProperty("completion_tokens").GetInt32());
    }

    private static async Task CheckAsync(HttpClient client, (string Name, object Request, int[] Ids, string Finish) expected)
    {
        var reply = await client.PostJsonAsync("/v1/completions", expected.Request);

        var choice = reply.GetProperty("choices")[0];
        Assert.True(expected.Ids.SequenceEqual(choice.GetProperty("token_ids").Ids()), $"{expected.Name}: {choice.GetProperty("token_ids")}");
        Assert.Equal(expected.Finish, choice.GetProperty("finish_reason").GetString());
    }

    private static List<(string Name, object Request, int[] Ids, string Finish)> Cases()
    {
        var cases = Tiny(ModelServer.Gqa, "llama-gqa").Concat(Tiny(ModelServer.Rope, "llama-rope3-tied")).Concat(Stories().Select(s => (
            "story",
            (object)new { model = ModelServer.Stories, prompt = s.GetProperty("prompt").GetString(), max_tokens = s.GetProperty("greedy_ids").GetArrayLength(), temperature = 0, return_token_ids = true },
            s.GetProperty("greedy_ids").Ids(),
            "length"))).ToList();
        Assert.True(cases.Count > 20, $"only {cases.Count} cases were found");
        return cases;
    }

    private static IEnumerable<(string Name, object Request, int[] Ids, string Finish)> Tiny(string model, string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "hf-tiny", folder, "reference.json")));
        foreach (var row in document.RootElement.GetProperty("cases").EnumerateArray().Where(IsGreedy))
        {
            var options = row.GetProperty("generation");
            for (var at = 0; at < row.GetProperty("input_ids").GetArrayLength(); at++)
            {
                var prompt = row.GetProperty("input_ids")[at].Ids();
                if (row.TryGetProperty("attention_mask", out var masks))
                {
                    prompt = [.. prompt.Zip(masks[at].Ids()).Where(pair => pair.Second == 1).Select(pair => pair.First)];
                }

                yield return (
                    $"{folder} {row.GetProperty("name").GetString()} {at}",
                    new
                    {
                        model,
                        prompt,
                        temperature = 0,
                        return_token_ids = true,
                        max_tokens = Number(options, "max_new_tokens") ?? Number(options, "max_length") - prompt.Length,
                        min_tokens = Number(options, "min_new_tokens"),
                        repetition_penalty = options.TryGetProperty("repetition_penalty", out var penalty) ? penalty.GetDouble() : 1,
                        stop_token_ids = options.TryGetProperty("eos_token_id", out var ends) ? ends.Ids() : [],
                    },
                    row.GetProperty("new_ids")[at].Ids(),
                    row.GetProperty("finish")[at].GetString() == "eos" ? "stop" : "length");
            }
        }
    }

    private static bool IsGreedy(JsonElement row) =>
        row.GetProperty("kind").GetString() == "generate"
        && row.GetProperty("generation") is var options
        && Number(options, "num_beams") == 1
        && options.EnumerateObject().All(o => Options.Contains(o.Name));

    private static int? Number(JsonElement options, string name) => options.TryGetProperty(name, out var value) ? value.GetInt32() : null;

    private static List<JsonElement> Stories() =>
        [.. Json.Parse(File.ReadAllText(SharedFolder.Require("models", "stories260K", "reference.json"))).GetProperty("vectors").EnumerateArray()];
}
