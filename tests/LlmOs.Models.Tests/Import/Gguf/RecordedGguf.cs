using System.Globalization;
using System.Text.Json;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.Gguf;

/// <summary>
/// One tiny model of <c>tests/recorded/gguf</c>: metadata and tensors of a GGUF file, and the logits that llama.cpp gave for
/// it. The values of the tensors follow from their names, as <c>record.py</c> has it.
/// </summary>
internal sealed class RecordedGguf
{
    private static readonly string Root = Path.Combine(RecordedModel.Root, "gguf");

    private readonly JsonElement _json;

    public RecordedGguf(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, name + ".json")));
        _json = document.RootElement.Clone();
    }

    public static TheoryData<string> All() => [.. Directory.EnumerateFiles(Root, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    /// <summary>The word in <c>general.architecture</c>.</summary>
    public string Architecture => _json.GetProperty("architecture").GetString()!;

    public IEnumerable<(int[] Ids, float[] Logits)> Cases => _json.GetProperty("cases").EnumerateArray()
        .Select(test => (RecordedModel.Ids(test, "ids"), RecordedModel.Values(test, "logits")!));

    public GgufBytes ToGguf()
    {
        var gguf = new GgufBytes().Pair("general.architecture", Architecture).Pair("tokenizer.ggml.model", "none");
        foreach (var pair in _json.GetProperty("metadata").EnumerateObject())
        {
            Add(gguf, $"{Architecture}.{pair.Name}", pair.Value);
        }

        AddTensors(gguf, "", _json.GetProperty("tensors"));
        for (var layer = 0; layer < _json.GetProperty("metadata").GetProperty("block_count").GetInt32(); layer++)
        {
            AddTensors(gguf, $"blk.{layer}.", _json.GetProperty("layer"));
        }

        return gguf;
    }

    private static void AddTensors(GgufBytes gguf, string prefix, JsonElement tensors)
    {
        foreach (var tensor in tensors.EnumerateObject())
        {
            long[] shape = [.. tensor.Value.EnumerateArray().Select(n => n.GetInt64())];
            var centre = tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal) || tensor.Name.EndsWith("norm_2.weight", StringComparison.Ordinal) ? 1 : 0;
            var values = new float[shape.Aggregate(1L, (product, n) => product * n)];
            RecordedModel.Draw(prefix + tensor.Name, centre, 0, values);
            gguf.Tensor(prefix + tensor.Name, shape, values);
        }
    }

    private static void Add(GgufBytes gguf, string key, JsonElement value) => _ = value.ValueKind switch
    {
        JsonValueKind.String => gguf.Pair(key, value.GetString()!),
        JsonValueKind.True or JsonValueKind.False => gguf.Pair(key, value.GetBoolean()),
        _ when uint.TryParse(value.GetRawText(), CultureInfo.InvariantCulture, out var whole) => gguf.Pair(key, whole),
        _ => gguf.Pair(key, value.GetSingle()),
    };
}
