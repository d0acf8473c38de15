using System.Runtime.InteropServices;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import;

/// <summary>Encoders' graphs of other exporters: their own numbers, or a refusal that says what was found.</summary>
public sealed class OnnxImportTests : IAsyncLifetime
{
    private const int Vocabulary = 20, Hidden = 4, Labels = 3;

    private RegistryWorld _world = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_published_graph_gives_its_recorded_sentence_vectors()
    {
        var source = SharedFolder.Require("models", "use-lite");
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "use-lite")).FullName;
        foreach (var name in new[] { "model.onnx", "config.json", "tokenizer.json" })
        {
            File.Copy(Path.Combine(source, name), Path.Combine(folder, name));
        }

        var version = await ImportAsync(folder);
        using var reference = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(source, "reference.json"), Cancel));
        EncoderText[] texts = [.. reference.RootElement.GetProperty("token_ids").EnumerateArray().Select(row => new EncoderText([.. row.EnumerateArray().Select(e => e.GetInt32())]))];
        var expected = reference.RootElement.GetProperty("embeddings").EnumerateArray().Select(row => row.EnumerateArray().Select(e => e.GetSingle()).ToArray()).ToList();

        await using var engine = await OpenAsync(version);
        var vectors = await engine.RunAsync(texts, EncoderOutput.Sentence, Cancel);

        Assert.Equal(("feature-extraction", "UniversalSentenceEncoderLite", 128, 8002), (version.Task, version.Architecture, version.ContextLength, version.Vocabulary));
        Assert.Equal(512, engine.Shape.SentenceWidth);
        for (var i = 0; i < vectors.Length; i++)
        {
            Assert.Equal(expected[i], vectors[i], (a, b) => Math.Abs(a - b) <= 1e-5);
        }
    }

    [Theory]
    [InlineData("model.onnx", false)]
    [InlineData("onnx/model.onnx", true)]
    public async Task A_classifier_gives_the_numbers_of_its_graph_alone_and_beside_longer_texts(string graph, bool external)
    {
        var version = await ImportAsync(Write(graph, external));

        await using var engine = await OpenAsync(version);
        EncoderText[] texts = [new([3, 5, 7]), new([1, 2, 3, 4, 5, 6, 7, 8, 9]), new([19])];
        var alone = new List<float[]>();
        foreach (var text in texts)
        {
            alone.Add((await engine.RunAsync([text], EncoderOutput.Logits, Cancel))[0]);
        }

        var together = await engine.RunAsync(texts, EncoderOutput.Logits, Cancel);

        Assert.Equal("text-classification", version.Task);
        Assert.Equal((Vocabulary * Hidden) + (Hidden * Labels), version.Parameters);
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.Equal(Expected(texts[i].Ids), alone[i], (a, b) => Math.Abs(a - b) <= 1e-5);
            Assert.Equal(alone[i], together[i]);
        }

        await Assert.ThrowsAsync<ArgumentException>(() => engine.RunAsync(texts, EncoderOutput.States, Cancel));
    }

    [Theory]
    [InlineData("domain", ErrorCode.UnsupportedFormat, "evil.ops")]
    [InlineData("loop", ErrorCode.UnsupportedFormat, "the operator Loop")]
    [InlineData("nested domain", ErrorCode.UnsupportedFormat, "evil.ops")]
    [InlineData("functions", ErrorCode.UnsupportedFormat, "functions of its own")]
    [InlineData("outside", ErrorCode.CorruptFile, "outside its own folder")]
    [InlineData("absent weights", ErrorCode.MissingFile, "weights.data")]
    [InlineData("other input", ErrorCode.UnsupportedFormat, "past_key_values.0.key")]
    [InlineData("no mask", ErrorCode.UnsupportedFormat, "attention_mask")]
    [InlineData("other output", ErrorCode.UnsupportedFormat, "answers")]
    [InlineData("other labels", ErrorCode.CorruptFile, "3 labels")]
    [InlineData("old opset", ErrorCode.UnsupportedFormat, "opset 9")]
    [InlineData("cut", ErrorCode.CorruptFile, "not a whole ONNX file")]
    [InlineData("decoder", ErrorCode.UnsupportedFormat, "decoder_model_merged.onnx")]
    [InlineData("int8", ErrorCode.UnsupportedFormat, "int8")]
    public async Task What_is_not_read_is_refused_with_its_reason(string fault, ErrorCode code, string word)
    {
        var folder = Write("model.onnx", external: fault is "outside" or "absent weights", fault);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, fault == "int8" ? "int8" : "f32"));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        await using var db = await _world.DbAsync();
        Assert.Empty(db.Models);
    }

    [Fact]
    public async Task A_spoilt_graph_is_imported_or_refused()
    {
        var folder = Write("model.onnx", external: false);
        var path = Path.Combine(folder, "model.onnx");
        var whole = await File.ReadAllBytesAsync(path, Cancel);
        var config = ModelFolder.ReadConfig(Path.Combine(folder, "config.json"));
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var spoilt = whole[..(seed % 5 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (var i = 0; i < 1 + (seed % 4) && spoilt.Length > 0; i++)
            {
                spoilt[random.Next(spoilt.Length)] = (byte)random.Next(256);
            }

            await File.WriteAllBytesAsync(path, spoilt, Cancel);
            try
            {
                using var graph = Models.Zoo.Onnx.ForeignGraph.Open(path, "model.onnx", config);
                if (seed % 10 == 0)
                {
                    var target = Path.Combine(_world.Folder.Scratch, "spoilt.onnx");
                    File.Delete(target);
                    graph.Write(target);
                }
            }
            catch (ModelFormatException)
            {
                // The reader's own refusal.
            }
        }
    }

    private static float TableOf(int id, int column) => MathF.Sin((id * Hidden) + column);

    private static float HeadOf(int row, int label) => MathF.Cos((row * Labels) + label);

    /// <summary>The mean over a text's tokens of embedding and place, times the head.</summary>
    private static float[] Expected(int[] ids) =>
        [.. Enumerable.Range(0, Labels).Select(label => (float)Enumerable.Range(0, Hidden).Sum(h => ids.Select((id, at) => (double)TableOf(id, h) + at).Average() * HeadOf(h, label)))];

    private async Task<ModelVersion> ImportAsync(string folder, string precision = "f32")
    {
        await _world.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m", Precision = precision });
        await using var db = await _world.DbAsync();
        return await ModelResolver.ResolveAsync(db, "m", Cancel);
    }

    private async Task<EncoderEngine> OpenAsync(ModelVersion version)
    {
        var graph = (EncoderGraph)await _world.Get<ServingGraphs>().OpenAsync(version.ToView().Files, version.Precision, Cancel);
        return EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
    }

    /// <summary>A folder with a small classifier as an exporter writes it.</summary>
    private string Write(string graph, bool external, string fault = "")
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "foreign")).FullName;
        var names = fault == "other labels" ? """{"0":"a","1":"b"}""" : """{"0":"a","1":"b","2":"c"}""";
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            $$"""{"model_type":"strange","architectures":["StrangeForSequenceClassification"],"hidden_size":{{Hidden}},"vocab_size":{{Vocabulary}},"max_position_embeddings":32,"pad_token_id":0,"id2label":{{names}}}""");
        var path = Path.Combine(folder, fault == "decoder" ? "decoder_model_merged.onnx" : graph);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var bytes = Model(external, fault);
        File.WriteAllBytes(path, fault == "cut" ? bytes[..(bytes.Length / 2)] : bytes);
        if (external && fault != "absent weights")
        {
            File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(path)!, "weights.data"), Table());
        }

        return folder;
    }

    private static byte[] Table() => MemoryMarshal.AsBytes<float>([.. Enumerable.Range(0, Vocabulary * Hidden).Select(i => TableOf(i / Hidden, i % Hidden))]).ToArray();

    private static byte[] Model(bool external, string fault)
    {
        var model = new ProtoWriter();
        model.Int(1, 8);
        model.Message(8, opset => opset.Int(2, fault == "old opset" ? 9 : 11));
        model.Message(7, graph =>
        {
            void Node(string op, string[] inputs, string output, string domain, params OnnxAttribute[] attributes) => graph.Message(1, node =>
            {
                Array.ForEach(inputs, i => node.Text(1, i));
                node.Text(2, output);
                node.Text(4, op);
                Array.ForEach(attributes, a => node.Message(5, a.Write));
                if (op == "If")
                {
                    node.Message(5, branch =>
                    {
                        branch.Text(1, "then_branch");
                        branch.Message(6, inner => inner.Message(1, evil =>
                        {
                            evil.Text(4, "Read");
                            evil.Text(7, "evil.ops");
                        }));
                    });
                }

                node.Text(7, domain);
            });

            Node("Gather", ["table", "input_ids"], "embedded", "");
            Node("Cast", ["position_ids"], "places", "", ("to", 1L));
            Node("Unsqueeze", ["places"], "column", "", ("axes", new long[] { 2 }));
            Node("Add", ["embedded", "column"], "placed", "");
            Node("Cast", ["attention_mask"], "mask", "", ("to", 1L));
            Node("Unsqueeze", ["mask"], "mask3", "", ("axes", new long[] { 2 }));
            Node("Mul", ["placed", "mask3"], "kept", "");
            Node("ReduceSum", ["kept"], "sum", "", ("axes", new long[] { 1 }), ("keepdims", 0L));
            Node("ReduceSum", ["mask3"], "count", "", ("axes", new long[] { 1 }), ("keepdims", 0L));
            Node("Div", ["sum", "count"], "mean", "");
            Node(fault switch { "loop" => "Loop", "nested domain" => "If", _ => "MatMul" }, ["mean", "head"], fault == "other output" ? "answers" : "logits", fault == "domain" ? "evil.ops" : "");
            graph.Text(2, "strange");
            graph.Message(5, tensor =>
            {
                tensor.Int(1, Vocabulary);
                tensor.Int(1, Hidden);
                tensor.Int(2, 1);
                tensor.Text(8, "table");
                if (!external)
                {
                    tensor.Bytes(9, Table());
                    return;
                }

                tensor.Message(13, entry =>
                {
                    entry.Text(1, "location");
                    entry.Text(2, fault == "outside" ? "../weights.data" : "weights.data");
                });
                tensor.Int(14, 1);
            });
            graph.Message(5, tensor =>
            {
                tensor.Int(1, Hidden);
                tensor.Int(1, Labels);
                tensor.Int(2, 1);
                tensor.Text(8, "head");
                tensor.Bytes(9, MemoryMarshal.AsBytes<float>([.. Enumerable.Range(0, Hidden * Labels).Select(i => HeadOf(i / Labels, i % Labels))]));
            });
            Value(graph, 11, "input_ids", 7, "batch", "sequence");
            if (fault != "no mask")
            {
                Value(graph, 11, "attention_mask", 7, "batch", "sequence");
            }

            Value(graph, 11, fault == "other input" ? "past_key_values.0.key" : "position_ids", 7, "batch", "sequence");
            Value(graph, 12, fault == "other output" ? "answers" : "logits", 1, "batch", Labels);
        });
        if (fault == "functions")
        {
            model.Message(25, function => function.Text(1, "f"));
        }

        return model.Written.ToArray();
    }

    private static void Value(ProtoWriter graph, int field, string name, int type, params object[] shape) => graph.Message(field, value =>
    {
        value.Text(1, name);
        value.Message(2, outer => outer.Message(1, tensor =>
        {
            tensor.Int(1, type);
            tensor.Message(2, dimensions => Array.ForEach(shape, size => dimensions.Message(1, one =>
            {
                if (size is int whole)
                {
                    one.Int(1, whole);
                }
                else
                {
                    one.Text(2, (string)size);
                }
            })));
        }));
    });
}
