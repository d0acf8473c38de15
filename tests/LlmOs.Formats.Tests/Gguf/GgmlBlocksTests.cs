using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Gguf;

/// <summary>Blocks against the floats that the gguf package 0.19 reads from them.</summary>
public sealed class GgmlBlocksTests
{
    [Fact]
    public void Every_recorded_block_gives_the_recorded_floats_to_the_bit()
    {
        using var vectors = SafetensorsFile.Open(SharedFolder.Require("vectors", "compression", "gguf", "gguf.safetensors"));
        var raw = File.ReadAllBytes(SharedFolder.Require("vectors", "compression", "gguf", "gguf.safetensors"));
        var header = JsonDocument.Parse(raw.AsMemory(8, (int)BitConverter.ToInt64(raw))).RootElement;
        var types = new HashSet<GgmlType>();
        foreach (var (type, variant) in Cases())
        {
            var name = $"{type}.{variant}";
            var expected = new float[vectors.Find($"{name}.floats")!.Elements];
            vectors.Read($"{name}.floats", 0, expected);
            var at = header.GetProperty($"{name}.blocks").GetProperty("data_offsets");
            var start = 8 + BitConverter.ToInt64(raw);
            var blocks = raw[(int)(start + at[0].GetInt64())..(int)(start + at[1].GetInt64())];
            var floats = new float[expected.Length];

            GgmlBlocks.Widen(type, blocks, floats);

            types.Add(type);
            Assert.Equal(expected.Select(BitConverter.SingleToUInt32Bits), floats.Select(BitConverter.SingleToUInt32Bits));
        }

        Assert.Equal(15, types.Count);
    }

    [Fact]
    public void Every_readable_type_is_tested_or_plain()
    {
        var tested = Cases().Select(c => c.Type);

        Assert.Equal(GgmlBlocks.Readable.Order(), tested.Concat([GgmlType.F32, GgmlType.F16, GgmlType.BF16]).Distinct().Order());
    }

    private static List<(GgmlType Type, string Variant)> Cases()
    {
        using var index = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "compression", "gguf", "gguf.json")));
        return [.. index.RootElement.GetProperty("cases").EnumerateArray().Select(c => (Enum.Parse<GgmlType>(c.GetProperty("type").GetString()!), c.GetProperty("variant").GetString()!))];
    }
}
