using System.Net;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Tests.Import.SideFiles;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Zoo;
using LlmOs.Testing;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests.Loading;

/// <summary>
/// The modules that sentence-transformers publishes behind an encoder, on the golden BERT: vectors against plain arithmetic, in
/// double precision, on the states that the model gives for the same text.
/// </summary>
public sealed class SentenceModuleTests : RegistryHttpTests
{
    private const string Text = "a b abc";
    private const string Prefix = "sentence_transformers.models.";

    [Theory]
    [InlineData("""{"pooling_mode_mean_tokens":true}""", "mean")]
    [InlineData("""{"pooling_mode_mean_tokens":false,"pooling_mode_cls_token":true}""", "cls")]
    [InlineData("""{"pooling_mode_max_tokens":true,"pooling_mode_mean_tokens":false}""", "max")]
    [InlineData("""{"pooling_mode_mean_sqrt_len_tokens":true,"pooling_mode_mean_tokens":false}""", "mean_sqrt_len")]
    [InlineData("""{"pooling_mode_weightedmean_tokens":true,"pooling_mode_mean_tokens":false}""", "weightedmean")]
    [InlineData("""{"pooling_mode_lasttoken":true,"pooling_mode_mean_tokens":false}""", "lasttoken")]
    [InlineData("""{"pooling_mode":"lasttoken"}""", "lasttoken")]
    [InlineData("""{"pooling_mode":["weightedmean","cls"],"pooling_mode_max_tokens":true}""", "weightedmean,cls")]
    [InlineData("""{"word_embedding_dimension":32}""", "mean")]
    [InlineData("""{"pooling_mode_lasttoken":true,"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":true,"pooling_mode_max_tokens":true}""", "cls,max,mean,lasttoken")]
    public async Task Poolings_are_put_one_after_the_other(string pooling, string modes)
    {
        await ImportAsync(pooling, []);

        var states = await StatesAsync(Text);

        AssertNear(modes.Split(',').SelectMany(mode => Pooled(mode, states, from: 0)), await VectorAsync(new { model = "m", input = Text }));
    }

    [Fact]
    public async Task Modules_are_done_in_their_order()
    {
        var hidden = Hidden;
        var (first, second) = (new Layer(2 * hidden, 24, hasBias: true), new Layer(24, 40, hasBias: false));
        double[] gain = [.. Enumerable.Range(0, 24).Select(i => 0.5 + (i / 24.0))];
        double[] offset = [.. Enumerable.Range(0, 24).Select(i => (i % 5) / 10.0)];
        await ImportAsync(
            """{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true}""",
            [
                ("2_Dense", "Dense", $$"""{"in_features":{{2 * hidden}},"out_features":24,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"}""", first.Tensors),
                ("3_Dropout", "Dropout", null, null),
                ("4_LayerNorm", "LayerNorm", """{"dimension":24}""", [("norm.weight", [24], [.. gain.Select(v => (float)v)]), ("norm.bias", [24], [.. offset.Select(v => (float)v)])]),
                ("5_Dense", "Dense", """{"in_features":24,"out_features":40,"bias":false,"activation_function":"torch.nn.modules.linear.Identity"}""", second.Tensors),
                ("6_Normalize", "Normalize", null, null),
            ]);

        var states = await StatesAsync(Text);
        var vector = await VectorAsync(new { model = "m", input = Text });
        var fewer = await VectorAsync(new { model = "m", input = Text, dimensions = 8 });

        double[] dense = [.. first.Apply([.. Pooled("cls", states, 0), .. Pooled("mean", states, 0)]).Select(Math.Tanh)];
        var (mean, variance) = (dense.Average(), dense.Average(v => Math.Pow(v - dense.Average(), 2)));
        double[] normed = [.. dense.Select((v, i) => ((v - mean) / Math.Sqrt(variance + 1e-5) * (float)gain[i]) + (float)offset[i])];
        var last = second.Apply(normed);
        var length = Math.Sqrt(last.Sum(v => v * v));
        AssertNear(last.Select(v => v / length), vector);
        Assert.Equal(8, fewer.Length);
    }

    [Theory]
    [InlineData(64, 24)]
    [InlineData(32, 32)]
    public async Task A_dense_layer_may_add_what_it_was_given(int inputs, int outputs)
    {
        var (layer, own) = (new Layer(inputs, outputs, hasBias: true), new Layer(inputs, outputs, hasBias: false));
        var weights = inputs == outputs ? layer.Tensors : [.. layer.Tensors, ("residual.weight", [outputs, inputs], own.Tensors[0].Values)];
        await ImportAsync(
            inputs == 64 ? """{"pooling_mode":["cls","mean"]}""" : """{"pooling_mode":"mean"}""",
            [("2_Dense", "Dense", $$"""{"in_features":{{inputs}},"out_features":{{outputs}},"activation_function":"torch.nn.modules.activation.Sigmoid","use_residual":true}""", weights)]);

        var states = await StatesAsync(Text);

        double[] pooled = [.. inputs == 64 ? Pooled("cls", states, 0) : [], .. Pooled("mean", states, 0)];
        var added = inputs == outputs ? pooled : own.Apply(pooled);
        AssertNear(layer.Apply(pooled).Zip(added, (x, y) => (1 / (1 + Math.Exp(-x))) + y), await VectorAsync(new { model = "m", input = Text }));
    }

    [Theory]
    [InlineData(0, new[] { 0.5f, 2f, -1f }, "sentence_bert_config.json", """{"max_seq_length":32,"config_args":{"output_hidden_states":true}}""")]
    [InlineData(1, new[] { 1f, 3f }, "config.json", null)]
    public async Task States_of_layers_are_weighed_before_they_are_pooled(int start, float[] weights, string file, string? content)
    {
        content ??= GoldenConfig.GetRawText().TrimEnd()[..^1] + ""","output_hidden_states":true}""";
        await ImportAsync(
            """{"pooling_mode":["mean","cls"]}""",
            [("0_Weights", "WeightedLayerPooling", $$"""{"word_embedding_dimension":32,"layer_start":{{start}},"num_hidden_layers":2}""", [("layer_weights", [weights.Length], weights)])],
            (file, content));

        var layers = LayerStates([2, 5, 6, 8, 3]); // [CLS] a b abc [SEP]
        var last = await StatesAsync(Text);

        double[][] mixed = [.. Enumerable.Range(0, last.Length).Select(token => Enumerable.Range(0, Hidden).Select(i =>
            weights.Select((w, layer) => w * (double)layers[start + layer][(token * Hidden) + i]).Sum() / weights.Sum(w => (double)w)).ToArray())];
        AssertNear(Pooled("mean", mixed, 0).Concat(Pooled("cls", mixed, 0)), await VectorAsync(new { model = "m", input = Text }));
        AssertNear(last.SelectMany(state => state), layers[2]); // a token's own state stays that of the last layer
    }

    [Theory]
    [InlineData("""{"layer_start":1,"num_hidden_layers":2}""", "{}", "output_hidden_states")]
    [InlineData("""{"layer_start":2,"num_hidden_layers":3}""", """{"config_args":{"output_hidden_states":true}}""", "the model has 2")]
    [InlineData("""{"layer_start":0,"num_hidden_layers":2}""", """{"config_args":{"output_hidden_states":true}}""", "layer_weights")]
    public async Task Weights_of_layers_that_do_not_fit_are_refused(string config, string sentences, string named)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(
            """{"pooling_mode":"mean"}""", [("0_Weights", "WeightedLayerPooling", config, [("layer_weights", [2], [1f, 1f])])], ("sentence_bert_config.json", sentences)));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_stands_before_each_text_by_its_name_or_by_the_models_own_choice()
    {
        await ImportAsync("""{"pooling_mode_mean_tokens":true}""", [], ("config_sentence_transformers.json", """{"prompts":{"query":"abc ","passage":"b "},"default_prompt_name":"passage"}"""));

        var (query, usual) = (await VectorAsync(new { model = "m", input = Text, prompt_name = "query" }), await VectorAsync(new { model = "m", input = new[] { Text } }));
        var states = await StatesAsync(Text, "query");
        var ids = await SendAsync(HttpMethod.Post, "/v1/embeddings", new { model = "m", input = new[] { 5, 6 }, prompt_name = "query" });
        var unknown = await SendAsync(HttpMethod.Post, "/v1/embeddings", new { model = "m", input = Text, prompt_name = "answer" });
        await ImportAsync("""{"pooling_mode_mean_tokens":true}""", [], ("config_sentence_transformers.json", """{"prompts":{}}"""));

        Assert.Equal(await VectorAsync(new { model = "m", input = "abc " + Text }), query);
        Assert.Equal(await VectorAsync(new { model = "m", input = "b " + Text }), usual);
        Assert.Equal(await StatesAsync("abc " + Text), states);
        Assert.Equal(HttpStatusCode.BadRequest, ids.Status);
        Assert.Contains("'prompt_name'", ids.Body.GetProperty("message").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, unknown.Status);
        Assert.Contains("passage, query", unknown.Body.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("true", "A B aBc")]
    [InlineData("false", "a b abc")]
    public async Task A_text_is_brought_to_small_letters_where_the_layout_says_so(string lowers, string same)
    {
        await ImportAsync(
            """{"pooling_mode":"mean"}""",
            [],
            ("tokenizer_config.json", """{"do_lower_case":false,"tokenizer_class":"BertTokenizer","strip_accents":false}"""),
            ("sentence_bert_config.json", $$"""{"max_seq_length":32,"do_lower_case":{{lowers}}}"""),
            ("config_sentence_transformers.json", """{"prompts":{"query":"ABC "}}"""));

        var vector = await VectorAsync(new { model = "m", input = same });

        Assert.Equal(await VectorAsync(new { model = "m", input = Text }), vector);
        Assert.Equal(lowers == "true", Same(vector, await VectorAsync(new { model = "m", input = "A b abc" })));
        Assert.Equal(lowers == "true", Same(await VectorAsync(new { model = "m", input = Text, prompt_name = "query" }), await VectorAsync(new { model = "m", input = "abc " + Text })));
    }

    [Fact]
    public async Task A_prompt_that_is_not_pooled_only_stands_before_the_text()
    {
        await ImportAsync("""{"pooling_mode_mean_tokens":true,"include_prompt":false}""", [], ("config_sentence_transformers.json", """{"prompts":{"query":"abc b "}}"""));

        var states = await StatesAsync(Text, "query");
        var vector = await VectorAsync(new { model = "m", input = Text, prompt_name = "query" });

        AssertNear(Pooled("mean", states, from: 3), vector); // [CLS] abc b
    }

    [Theory]
    [InlineData("WeightedLayerPooling", """{"layer_start":4}""", "WeightedLayerPooling")]
    [InlineData("WordWeights", "{}", "WordWeights")]
    [InlineData("Dense", """{"in_features":7,"out_features":24,"bias":true,"activation_function":"torch.nn.modules.linear.Identity"}""", "2_X/model.safetensors")]
    [InlineData("Dense", """{"in_features":24,"out_features":24,"bias":true,"activation_function":"torch.nn.modules.linear.Identity"}""", "in_features is 24")]
    [InlineData("Dense", """{"in_features":24,"out_features":24,"bias":true,"activation_function":"torch.nn.modules.activation.PReLU"}""", "PReLU")]
    [InlineData("Normalize", """{"module_input_name":"token_embeddings"}""", "token_embeddings")]
    [InlineData("Dense", """{"in_features":24,"out_features":24,"bias":true,"module_output_name":"token_embeddings"}""", "token_embeddings")]
    public async Task What_cannot_be_done_is_refused_by_its_name(string kind, string config, string named)
    {
        var layer = new Layer(24, 24, hasBias: true);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync("""{"pooling_mode_mean_tokens":true}""", [("2_X", kind, config, layer.Tensors)]));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_module_without_its_weights_is_refused_by_their_name()
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync("""{"pooling_mode_mean_tokens":true}""", [("2_Dense", "Dense", """{"in_features":24,"out_features":24}""", null)]));

        Assert.Contains("2_Dense/model.safetensors", refusal.Message, StringComparison.Ordinal);
    }

    private static int Hidden => GoldenConfig.GetProperty("hidden_size").GetInt32();

    private static JsonElement GoldenConfig => JsonDocument.Parse(File.ReadAllBytes(Golden("config.json"))).RootElement;

    /// <summary>The states of the embeddings and of each layer, [tokens * hidden] each, from the encoder's graph.</summary>
    private static float[][] LayerStates(long[] ids)
    {
        using var folder = new TempFolder();
        var json = ConfigJson.Parse(File.ReadAllBytes(Golden("config.json")), "config.json");
        var architecture = (EncoderArchitecture)Architectures.Of(json);
        var config = architecture.ReadConfig(json);
        using var weights = SafetensorsFile.Open(Golden("model.safetensors"));
        using var session = new InferenceSession(architecture.WriteGraph(config, weights, WeightPrecision.F32, folder.Path, withStates: true, CancellationToken.None).OnnxPath);
        using var options = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var types = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], [1, ids.Length]);
        using var lengths = OrtValue.CreateTensorValueFromMemory(new[] { ids.Length }, [1]);
        Dictionary<string, OrtValue> inputs = new() { [EncoderNames.InputIds] = input, [EncoderNames.TokenTypes] = types, [EncoderNames.Lengths] = lengths };
        using var results = session.Run(options, inputs, [.. Enumerable.Range(0, config.Layers + 1).Select(EncoderNames.HiddenState)]);
        return [.. results.Select(r => r.GetTensorDataAsSpan<float>().ToArray())];
    }

    private static bool Same(float[] one, float[] other) => one.AsSpan().SequenceEqual(other);

    private static string Golden(string file) => Path.Combine(SharedFolder.Repository, "tests", "golden", "bert", file);

    private static IEnumerable<double> Pooled(string mode, double[][] states, int from) => mode switch
    {
        "cls" => states[0],
        "lasttoken" => states[^1],
        _ => Enumerable.Range(0, states[0].Length).Select(i =>
        {
            var values = states.Select((state, token) => (Value: state[i], Weight: token + 1.0)).Skip(from).ToList();
            return mode switch
            {
                "mean" => values.Average(v => v.Value),
                "max" => values.Max(v => v.Value),
                "mean_sqrt_len" => values.Sum(v => v.Value) / Math.Sqrt(values.Count),
                "weightedmean" => values.Sum(v => v.Value * v.Weight) / values.Sum(v => v.Weight),
                _ => throw new ArgumentException(mode),
            };
        }),
    };

    private static void AssertNear(IEnumerable<double> expected, float[] actual)
    {
        var values = expected.ToList();
        Assert.Equal(values.Count, actual.Length);
        Assert.All(values.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    private async Task<double[][]> StatesAsync(string text, string? prompt = null)
    {
        var answer = await SendAsync(HttpMethod.Post, "/pipeline/feature-extraction", new { model = "m", inputs = text, parameters = new { prompt_name = prompt } });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body.ToString());
        return [.. answer.Body[0].EnumerateArray().Select(state => state.EnumerateArray().Select(v => v.GetDouble()).ToArray())];
    }

    private async Task<float[]> VectorAsync(object request)
    {
        var answer = await SendAsync(HttpMethod.Post, "/v1/embeddings", request);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body.ToString());
        return [.. answer.Body.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];
    }

    /// <summary>Imports the golden encoder with these modules behind it.</summary>
    private async Task ImportAsync(string pooling, (string Folder, string Kind, string? Config, (string Name, long[] Shape, float[] Values)[]? Weights)[] modules, params (string File, string Content)[] more)
    {
        var files = new Dictionary<string, string>(WalkedModel.All["encoder"].Files) { ["1_Pooling/config.json"] = pooling };
        files.Remove("config_sentence_transformers.json");
        files["modules.json"] = JsonSerializer.Serialize(new[] { ("", "Transformer"), ("1_Pooling", "Pooling") }.Concat(modules.Select(m => (m.Folder, m.Kind))).OrderBy(m => m.Item1, StringComparer.Ordinal).Select((m, i) => new { idx = i, name = $"{i}", path = m.Item1, type = Prefix + m.Item2 }));
        foreach (var (file, content) in modules.Where(m => m.Config is not null).Select(m => ($"{m.Folder}/config.json", m.Config!)).Concat(more))
        {
            files[file] = content;
        }

        var folder = Directory.CreateDirectory(Path.Combine(World.Folder.Import, Guid.NewGuid().ToString("n"))).FullName;
        (WalkedModel.All["encoder"] with { Files = files }).Write(folder);
        foreach (var module in modules.Where(m => m.Weights is not null))
        {
            Directory.CreateDirectory(Path.Combine(folder, module.Folder));
            using var stream = File.Create(Path.Combine(folder, module.Folder, "model.safetensors"));
            var writer = new SafetensorsWriter(stream, [.. module.Weights!.Select(w => new TensorInfo(w.Name, TensorType.F32, w.Shape))]);
            foreach (var (name, _, values) in module.Weights!)
            {
                writer.Write(name, values);
            }

            writer.Complete();
        }

        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });
    }

    /// <summary>A linear layer of random weights.</summary>
    private sealed class Layer(int inputs, int outputs, bool hasBias)
    {
        private readonly float[] _weight = Random(inputs * outputs, seed: inputs);
        private readonly float[] _bias = hasBias ? Random(outputs, seed: outputs) : [];

        public (string Name, long[] Shape, float[] Values)[] Tensors => hasBias
            ? [("linear.weight", [outputs, inputs], _weight), ("linear.bias", [outputs], _bias)]
            : [("linear.weight", [outputs, inputs], _weight)];

        public double[] Apply(double[] vector) =>
            [.. Enumerable.Range(0, outputs).Select(o => Enumerable.Range(0, inputs).Sum(i => _weight[(o * inputs) + i] * vector[i]) + (hasBias ? _bias[o] : 0))];

        private static float[] Random(int count, int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) / 2)];
        }
    }
}
