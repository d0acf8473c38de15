using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Server.Tests.Http;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Pipelines;

/// <summary>Every row of <c>../shared/vectors/pipelines</c> over HTTP: texts equal, numbers within a ten-thousandth.</summary>
public sealed class PipelineVectorTests(TinyModelServer server)
{
    private const double Tolerance = 1e-4;

    /// <summary>A model for each task.</summary>
    private static readonly Dictionary<string, string> ModelByTask = new()
    {
        ["text-generation"] = "gpt2",
        ["text2text-generation"] = "t5-relu-tied",
        ["summarization"] = "bart",
        ["translation"] = "marian",
        ["text-classification"] = "bert-seqcls",
        ["zero-shot-classification"] = "roberta-nli",
        ["token-classification"] = "bert-tokcls",
        ["fill-mask"] = "bert-mlm",
        ["question-answering"] = "bert-qa",
        ["feature-extraction"] = "bert-base",
        ["sentence-similarity"] = "st-mean-normalize",
        ["text-ranking"] = "st-mean-normalize",
    };

    public static TheoryData<string> Tasks => [.. ModelByTask.Keys];

    /// <summary>Arguments of generation, which clients send by name or within <c>generate_parameters</c>.</summary>
    private static readonly string[] OfGeneration =
        ["do_sample", "num_beams", "max_new_tokens", "min_new_tokens", "max_length", "min_length", "num_return_sequences", "repetition_penalty", "no_repeat_ngram_size"];

    [Theory]
    [InlineData("feature-extraction")]
    [InlineData("fill-mask")]
    [InlineData("question-answering")]
    [InlineData("sentence-similarity")]
    [InlineData("summarization")]
    [InlineData("summarization", true)]
    [InlineData("text-classification")]
    [InlineData("text-generation")]
    [InlineData("text-generation", true)]
    [InlineData("text2text-generation")]
    [InlineData("text2text-generation", true)]
    [InlineData("token-classification")]
    [InlineData("translation")]
    [InlineData("translation", true)]
    [InlineData("zero-shot-classification")]
    public async Task What_transformers_answered_comes_out(string file, bool nested = false)
    {
        var rows = Json.Parse(File.ReadAllText(SharedFolder.Require("vectors", "pipelines", file + ".json"))).GetProperty("cases").EnumerateArray()
            .Where(row => !IsChat(file, row)).ToList();
        List<string> failures = [];
        foreach (var row in rows)
        {
            using var client = await server.WithAsync(row.GetProperty("model").GetString()!);
            var task = row.TryGetProperty("task", out var own) ? own.GetString()! : file;
            var reply = await client.PostJsonAsync($"/pipeline/{task}", new { model = row.GetProperty("model"), inputs = row.GetProperty("inputs"), parameters = nested ? Nested(Parameters(row)) : Parameters(row) });
            if (Difference(row.GetProperty("output"), reply, "output") is { } difference)
            {
                failures.Add($"{row.GetProperty("model")} {row.GetProperty("parameters")}: {difference}");
            }
        }

        Assert.NotEmpty(rows);
        Assert.True(failures.Count == 0, $"{failures.Count} of {rows.Count} rows differ:\n{string.Join('\n', failures.Take(8))}");
    }

    /// <summary>A hypothesis is filled as Python's <c>format</c> fills it.</summary>
    [Theory]
    [InlineData("It is {}.", "It is {0}.")]
    [InlineData("It is {}.", "It is {:s}.")]
    public async Task A_hypothesis_is_a_format_of_Python(string plain, string spelt)
    {
        using var client = await server.WithAsync("roberta-nli");
        async Task<string> ScoresAsync(string template) =>
            (await client.PostJsonAsync("/pipeline/zero-shot-classification", new { model = "roberta-nli", inputs = "We are poor.", parameters = new { candidate_labels = new[] { "war", "love" }, hypothesis_template = template } })).GetRawText();

        Assert.Equal(await ScoresAsync(plain), await ScoresAsync(spelt));
    }

    /// <summary>Places count characters: Python's <c>text[18:20]</c> of the recorded case is "ão".</summary>
    [Fact]
    public async Task Places_in_a_text_count_characters()
    {
        using var client = await server.WithAsync("bert-tokcls");
        var body = JsonNode.Parse(File.ReadAllText(SharedFolder.Require("cases", "07-ner-emoji.json")))!.AsObject();
        var text = body["inputs"]!.GetValue<string>();
        body["model"] = "bert-tokcls";

        var entities = (await client.PostJsonAsync("/pipeline/token-classification", body)).EnumerateArray().ToList();

        var runes = text.EnumerateRunes().ToList();
        var begin = runes.Count - "ão Paulo".Length - 1;
        Assert.Equal("São Paulo", string.Concat(runes[begin..]));
        Assert.Contains(entities, entity => (entity.GetProperty("start").GetInt32(), entity.GetProperty("word").GetString()) == (begin, "sa") && entity.GetProperty("end").GetInt32() == begin + 2);
        Assert.Equal(runes.Count, entities.Max(entity => entity.GetProperty("end").GetInt32()));
        Assert.Contains(entities, entity => (entity.GetProperty("start").GetInt32(), entity.GetProperty("end").GetInt32()) == (13, 14)); // the emoji
    }

    /// <summary>The recorded cosines of sentence-transformers, put in order.</summary>
    [Fact]
    public async Task Texts_are_ranked_by_the_recorded_cosines()
    {
        var rows = Json.Parse(File.ReadAllText(SharedFolder.Require("vectors", "pipelines", "sentence-similarity.json"))).GetProperty("cases").EnumerateArray()
            .Where(row => row.GetProperty("inputs").ValueKind == JsonValueKind.Object).ToList();
        foreach (var row in rows)
        {
            using var client = await server.WithAsync(row.GetProperty("model").GetString()!);
            var inputs = new { query = row.GetProperty("inputs").GetProperty("source_sentence"), texts = row.GetProperty("inputs").GetProperty("sentences") };
            var cosines = row.GetProperty("output").EnumerateArray().Select(v => v.GetDouble()).ToList();

            var reply = (await client.PostJsonAsync($"/models/{row.GetProperty("model")}", new { inputs })).EnumerateArray().ToList();

            var scores = reply.ConvertAll(text => text.GetProperty("score").GetDouble());
            Assert.Equal(Enumerable.Range(0, cosines.Count), reply.Select(text => text.GetProperty("index").GetInt32()).Order());
            Assert.Equal(scores.OrderDescending(), scores);
            Assert.All(reply, text => Assert.Equal(cosines[text.GetProperty("index").GetInt32()], text.GetProperty("score").GetDouble(), Tolerance));
        }

        Assert.NotEmpty(rows);
    }

    [Theory]
    [InlineData("st-mean-normalize", """{"inputs":{"query":"x"}}""", "inputs")]
    [InlineData("bert-qa", """{"inputs":"no question"}""", "inputs")]
    [InlineData("bert-qa", """{"inputs":{"question":"x"}}""", "inputs")]
    [InlineData("bert-qa", """{"inputs":{"question":"x","context":"y"},"parameters":{"doc_stride":-1}}""", "parameters.doc_stride")]
    [InlineData("bert-mlm", """{"inputs":"There is no mask."}""", "inputs")]
    [InlineData("bert-mlm", """{"inputs":"A [MASK].","parameters":{"targets":[]}}""", "parameters.targets")]
    [InlineData("roberta-nli", """{"inputs":"x","parameters":{"candidate_labels":[]}}""", "parameters.candidate_labels")]
    [InlineData("roberta-nli", """{"inputs":"x","parameters":{"candidate_labels":["a"],"hypothesis_template":"It says nothing."}}""", "parameters.hypothesis_template")]
    [InlineData("roberta-nli", """{"inputs":"x","parameters":{"candidate_labels":["a","b"],"hypothesis_template":"It is {1}."}}""", "parameters.hypothesis_template")]
    [InlineData("roberta-nli", """{"inputs":"x","parameters":{"candidate_labels":["a","b"],"hypothesis_template":"It is {."}}""", "parameters.hypothesis_template")]
    [InlineData("bert-seqcls", """{"inputs":"x","parameters":{"top_k":0}}""", "parameters.top_k")]
    [InlineData("bert-seqcls", """{"inputs":["x",7]}""", "inputs[1]")]
    [InlineData("bert-tokcls", """{"inputs":"x","parameters":{"aggregation_strategy":"best"}}""", "parameters.aggregation_strategy")]
    [InlineData("st-mean-normalize", """{"inputs":{"source_sentence":"x"}}""", "inputs")]
    [InlineData("bart", """{"inputs":"x","parameters":{"num_beams":1000}}""", "parameters.num_beams")]
    [InlineData("bart", """{"inputs":"x","parameters":{"early_stopping":7}}""", "parameters.early_stopping")]
    public async Task What_cannot_be_done_is_refused_by_its_field(string model, string body, string field)
    {
        using var client = await server.WithAsync(model);

        var error = await client.RefusedAsync($"/models/{model}", body);

        Assert.Equal(field, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_refused_with_both_numbers_or_cut_when_asked()
    {
        using var client = await server.WithAsync("bert-seqcls");
        var text = string.Join(' ', Enumerable.Repeat("citizen", 200));

        var error = await client.RefusedAsync("/models/bert-seqcls", $$"""{"inputs":"{{text}}"}""");
        var cut = await client.PostJsonAsync("/models/bert-seqcls", new { inputs = text, parameters = new { truncate = true } });

        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Contains("96", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, cut.GetArrayLength());
    }

    [Fact]
    public async Task Of_two_texts_the_one_is_cut_that_is_named()
    {
        using var client = await server.WithAsync("bert-seqcls");
        var (many, few) = (string.Join(' ', Enumerable.Repeat("citizen", 200)), "We are poor.");
        object Body(string first, string second, object truncation) => new { inputs = new { text = first, text_pair = second }, parameters = new { truncation } };

        var first = await client.PostJsonAsync("/models/bert-seqcls", Body(many, few, "only_first"));
        var longest = await client.PostJsonAsync("/models/bert-seqcls", Body(many, few, true));
        var refused = await client.RefusedAsync("/models/bert-seqcls", JsonSerializer.Serialize(Body(many, few, "only_second")));
        var odd = await client.RefusedAsync("/models/bert-seqcls", JsonSerializer.Serialize(Body(many, few, "sometimes")));

        Assert.Equal(longest.GetRawText(), first.GetRawText());
        Assert.Equal("context_length_exceeded", refused.GetProperty("code").GetString());
        Assert.Equal("parameters.truncation", odd.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_question_is_cut_to_the_length_that_is_asked_for()
    {
        using var client = await server.WithAsync("bert-qa");
        const string Context = "Caius Marcius is chief enemy to the people.";
        object Body(string question, int? tokens) => new { inputs = new { question, context = Context }, parameters = new { max_question_len = tokens } };

        var cut = await client.PostJsonAsync("/models/bert-qa", Body("Who is the enemy of all the people in Rome?", 3));
        var three = await client.PostJsonAsync("/models/bert-qa", Body("Who is the", null));

        Assert.Equal(three.GetRawText(), cut.GetRawText());
        Assert.Equal("parameters.max_question_len", (await client.RefusedAsync("/models/bert-qa", JsonSerializer.Serialize(Body("x", 0)))).GetProperty("param").GetString());
    }

    [Fact]
    public async Task An_argument_within_generate_parameters_is_refused_by_its_place()
    {
        using var client = await server.WithAsync("bart");

        var error = await client.RefusedAsync("/models/bart", """{"inputs":"x","parameters":{"generate_parameters":{"num_beams":0}}}""");

        Assert.Equal("parameters.generate_parameters.num_beams", error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task The_samples_work_when_pasted()
    {
        Dictionary<string, string> names = new()
        {
            ["all-minilm-l6-v2"] = "st-mean-normalize",
            ["my-classifier"] = "bert-seqcls",
            ["my-nli-model"] = "roberta-nli",
            ["my-tagger"] = "bert-tokcls",
            ["my-masked-model"] = "bert-mlm",
            ["my-qa-model"] = "bert-qa",
            ["my-t5"] = "t5-gated-untied",
        };
        var samples = (await File.ReadAllTextAsync(Path.Combine(SharedFolder.Repository, "samples", "encoders.http"))).Split("###").Skip(1).ToList();

        Assert.True(samples.Count >= 8);
        foreach (var sample in samples)
        {
            var lines = sample.Trim().Split('\n');
            var body = lines.SkipWhile(line => line.Length > 0).Skip(1).First();
            var model = names.First(pair => body.Contains($"\"{pair.Key}\"", StringComparison.Ordinal));
            using var client = await server.WithAsync(model.Value);

            using var answer = await client.PostAsync(lines[1].Split(' ')[1].Replace("{{server}}", "", StringComparison.Ordinal), Json.Raw(body.Replace(model.Key, model.Value, StringComparison.Ordinal)));

            Assert.True(answer.IsSuccessStatusCode, $"{lines[0]}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [Theory]
    [MemberData(nameof(Tasks))]
    public async Task The_example_of_a_task_in_the_API_document_works_when_pasted(string task)
    {
        var model = ModelByTask[task];
        using var client = await server.WithAsync(model);
        var examples = (await OpenApiDocument.ReadAsync(server)).Operations.Single(o => o.Path == "/pipeline/{task}").BodyExamples!;
        var body = examples[task]!["value"]!.DeepClone().AsObject();
        body["model"] = model;

        using var answer = await client.PostAsync($"/pipeline/{task}", Json.Raw(body.ToJsonString()));

        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Equal(ModelByTask.Keys.Order(StringComparer.Ordinal), examples.Select(example => example.Key).Order(StringComparer.Ordinal));
    }

    /// <summary>Where the recorded tokenizer was told another window than the model's, the request says so.</summary>
    private static JsonNode Parameters(JsonElement row)
    {
        var parameters = JsonNode.Parse(row.GetProperty("parameters").GetRawText())!;
        if (row.TryGetProperty("note", out var note) && note.GetString()!.Contains("model_max_length set to 32", StringComparison.Ordinal))
        {
            parameters["max_seq_len"] = 32;
        }

        return parameters;
    }

    /// <summary>The same with the arguments of generation in an object of their own, and others outside that win over what stands there.</summary>
    private static JsonObject Nested(JsonNode parameters)
    {
        var outside = parameters.AsObject();
        var inside = new JsonObject();
        foreach (var name in OfGeneration.Where(outside.ContainsKey))
        {
            var value = outside[name];
            outside.Remove(name);
            inside[name] = value;
        }

        if (inside["max_new_tokens"] is { } tokens)
        {
            outside["max_new_tokens"] = tokens.DeepClone();
            inside["max_new_tokens"] = 1;
        }

        outside["generate_parameters"] = inside;
        return outside;
    }

    private static bool IsChat(string file, JsonElement row) => file == "text-generation"
        && row.GetProperty("inputs") is { ValueKind: JsonValueKind.Array } inputs
        && inputs[0].ValueKind is JsonValueKind.Object or JsonValueKind.Array;

    /// <summary>Where two answers differ, or null.</summary>
    private static string? Difference(JsonElement expected, JsonElement actual, string at)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Array when actual.ValueKind == JsonValueKind.Array:
                return expected.GetArrayLength() != actual.GetArrayLength()
                    ? $"{at} has {actual.GetArrayLength()} entries, not {expected.GetArrayLength()}: {Short(actual)} instead of {Short(expected)}"
                    : expected.EnumerateArray().Zip(actual.EnumerateArray()).Select((pair, i) => Difference(pair.First, pair.Second, $"{at}[{i}]")).FirstOrDefault(d => d is not null);
            case JsonValueKind.Object when actual.ValueKind == JsonValueKind.Object:
                return expected.EnumerateObject().Select(p => actual.TryGetProperty(p.Name, out var own) ? Difference(p.Value, own, $"{at}.{p.Name}") : $"{at} lacks {p.Name}: {Short(actual)}").FirstOrDefault(d => d is not null)
                    ?? (actual.EnumerateObject().Count() == expected.EnumerateObject().Count() ? null : $"{at} has more fields: {Short(actual)}");
            case JsonValueKind.Number when actual.ValueKind == JsonValueKind.Number:
                return Math.Abs(expected.GetDouble() - actual.GetDouble()) <= Tolerance ? null : $"{at} is {actual}, not {expected}";
            default:
                return JsonElement.DeepEquals(expected, actual) ? null : $"{at} is {Short(actual)}, not {Short(expected)}";
        }
    }

    private static string Short(JsonElement value) => value.GetRawText() is { Length: > 240 } text ? text[..240] + "..." : value.GetRawText();
}
