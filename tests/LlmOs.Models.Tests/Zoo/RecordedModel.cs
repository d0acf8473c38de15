using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// One tiny model of <c>tests/recorded</c>: its configuration, the weights that transformers says it has, and what
/// transformers gave for them. The values of the weights follow from their names, as <c>record.py</c> has it.
/// </summary>
internal sealed class RecordedModel : IWeightSource
{
    public static readonly string Root = Path.Combine(SharedFolder.Repository, "tests", "recorded");

    public RecordedModel(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, name + ".json")));
        Json = document.RootElement.Clone();
        var config = Parse(ConfigText);
        Architecture = Architectures.Of(config);
        Config = Architecture.ReadConfig(config);
        Tensors = [.. Json.GetProperty("weights").EnumerateObject().Select(w => new TensorInfo(w.Name, TensorType.F32, [.. w.Value.EnumerateArray().Select(n => n.GetInt64())]))];
    }

    private JsonElement Json { get; }

    public string ConfigText => Json.GetProperty("config").GetRawText();

    public Architecture Architecture { get; }

    public ModelConfig Config { get; }

    public IReadOnlyCollection<TensorInfo> Tensors { get; }

    public IEnumerable<JsonElement> Cases => Json.GetProperty("cases").EnumerateArray();

    /// <summary>The recorded models of one kind of architecture.</summary>
    public static TheoryData<string> Of<T>()
        where T : Architecture =>
        [.. Directory.EnumerateFiles(Root, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal).Where(name => new RecordedModel(name).Architecture is T)];

    /// <summary>The configuration with an option set to a value in JSON.</summary>
    public ConfigJson ConfigWith(string option, string value)
    {
        var config = JsonNode.Parse(ConfigText)!.AsObject();
        config[option] = JsonNode.Parse(value);
        return Parse(config.ToJsonString());
    }

    public static int[] Ids(JsonElement test, string field) => ReferenceCase.Ints(test.GetProperty(field));

    /// <summary>The recorded numbers of a role; null when the case has none.</summary>
    public static float[]? Values(JsonElement test, string role) =>
        test.TryGetProperty(role, out var values) ? [.. values.EnumerateArray().Select(v => v.GetSingle())] : null;

    public TensorInfo? Find(string name) => Tensors.FirstOrDefault(t => t.Name == name);

    public void Read(string name, long offset, Span<float> destination)
    {
        var tensor = Find(name)!;
        var centre = tensor.Shape.Count == 1 && name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0;
        Draw(name, centre, offset, destination);
    }

    /// <summary>The values of a weight, which follow from its name: around a centre, at most half of one away.</summary>
    public static void Draw(string name, int centre, long offset, Span<float> destination)
    {
        var seed = Encoding.UTF8.GetBytes(name).Aggregate(0x811c9dc5u, (hash, value) => (hash ^ value) * 0x01000193u);
        seed += 0x6d2b79f5u * (uint)offset; // each draw moves the seed on by the same step
        foreach (ref var value in destination)
        {
            value = (float)(centre + (Draw(ref seed) - 0.5));
        }
    }

    /// <summary>The weights as a file in safetensors.</summary>
    public void WriteWeights(string path)
    {
        using var stream = File.Create(path);
        var writer = new SafetensorsWriter(stream, [.. Tensors]);
        foreach (var tensor in Tensors)
        {
            var values = new float[tensor.Elements];
            Read(tensor.Name, 0, values);
            writer.Write(tensor.Name, values);
        }

        writer.Complete();
    }

    private static ConfigJson Parse(string config) => ConfigJson.Parse(Encoding.UTF8.GetBytes(config), "config.json");

    /// <summary>mulberry32: a number from 0 to 1.</summary>
    private static double Draw(ref uint seed)
    {
        seed += 0x6d2b79f5u;
        var t = (seed ^ (seed >> 15)) * (1 | seed);
        t = (t + ((t ^ (t >> 7)) * (61 | t))) ^ t;
        return (t ^ (t >> 14)) / 4294967296.0;
    }
}
