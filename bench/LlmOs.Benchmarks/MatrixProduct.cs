using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Benchmarks;

/// <summary>One square matrix product with fixed weights by ONNX Runtime, on every core: what this machine does at best in f32.</summary>
internal sealed class MatrixProduct : IDisposable
{
    private readonly int _size;
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly OrtValue _input;

    public MatrixProduct(int size)
    {
        _size = size;
        using var options = new SessionOptions { IntraOpNumThreads = Environment.ProcessorCount };
        _session = new InferenceSession(Model(size), options);
        _input = OrtValue.CreateTensorValueFromMemory(Matrix(size), [size, size]);
    }

    /// <summary>Multiplications and additions a second, in thousand millions.</summary>
    public double GigaFlops(TimeSpan min)
    {
        var (begin, runs) = (Stopwatch.GetTimestamp(), 0);
        do
        {
            _session.Run(_options, ["a"], [_input], ["c"]).Dispose();
            runs++;
        }
        while (Stopwatch.GetElapsedTime(begin) < min);

        return 2.0 * _size * _size * _size * runs / Stopwatch.GetElapsedTime(begin).TotalSeconds / 1e9;
    }

    public void Dispose()
    {
        _input.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private static float[] Matrix(int size) => [.. Enumerable.Range(0, size * size).Select(i => (i % 17) * 0.01f)];

    /// <summary>c = a b with b as the model's weights, in the protobuf of onnx.proto.</summary>
    private static byte[] Model(int size)
    {
        byte[] shape = [.. Field(1, Number(1, size)), .. Field(1, Number(1, size))];
        byte[] type = Field(2, Field(1, [.. Number(1, 1), .. Field(2, shape)]));
        byte[] Value(string name) => [.. Field(1, Encoding.UTF8.GetBytes(name)), .. type];
        byte[] node = [.. Field(1, "a"u8), .. Field(1, "b"u8), .. Field(2, "c"u8), .. Field(4, "MatMul"u8)];
        byte[] weights = [.. Number(1, size), .. Number(1, size), .. Number(2, 1), .. Field(8, "b"u8), .. Field(9, MemoryMarshal.AsBytes(Matrix(size).AsSpan()))];
        byte[] graph = [.. Field(1, node), .. Field(2, "g"u8), .. Field(5, weights), .. Field(11, Value("a")), .. Field(12, Value("c"))];
        return [.. Number(1, 9), .. Field(7, graph), .. Field(8, Number(2, 17))];
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> content) => [.. Varint((number << 3) | 2), .. Varint(content.Length), .. content];

    private static byte[] Number(int number, int value) => [.. Varint(number << 3), .. Varint(value)];

    private static byte[] Varint(int value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
