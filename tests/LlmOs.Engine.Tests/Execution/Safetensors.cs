using System.Text.Json;

namespace LlmOs.Engine.Tests.Execution;

/// <summary>Reads f32 tensors of a safetensors file, apart from the product's own reader.</summary>
internal sealed class Safetensors
{
    private readonly byte[] _file;
    private readonly int _data;
    private readonly JsonElement _header;

    public Safetensors(string path)
    {
        _file = File.ReadAllBytes(path);
        var headerLength = (int)BitConverter.ToInt64(_file);
        _data = 8 + headerLength;
        _header = JsonSerializer.Deserialize<JsonElement>(_file.AsSpan(8, headerLength));
    }

    public float[] Read(string name)
    {
        var tensor = _header.GetProperty(name);
        Assert.Equal("F32", tensor.GetProperty("dtype").GetString());
        var offsets = tensor.GetProperty("data_offsets");
        var (start, end) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        var values = new float[(end - start) / sizeof(float)];
        Buffer.BlockCopy(_file, _data + start, values, 0, end - start);
        return values;
    }
}
