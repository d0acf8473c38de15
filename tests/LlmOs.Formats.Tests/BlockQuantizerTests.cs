using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests;

/// <summary>Against ONNX Runtime 1.32's own quantiser, and against blocks that were published as blocks.</summary>
public sealed class BlockQuantizerTests
{
    [Theory]
    [InlineData(4, false)]
    [InlineData(4, true)]
    [InlineData(8, true)]
    public void A_run_of_blocks_is_rounded_as_each_of_them_is(int bits, bool symmetric)
    {
        var format = new BlockFormat(bits, 32, symmetric);
        var random = new Random(7);
        var values = new float[40 * 32];
        for (var i = 0; i < values.Length; i++)
        {
            // Every third block was codes times a scale before; one is all zeros.
            values[i] = i / 32 == 5 ? 0 : i / 32 % 3 == 0 ? random.Next(-8, 8) * 0.125f : (float)(random.NextDouble() - 0.3);
        }

        var (packed, scales, zeros) = (new byte[40 * format.CodeBytes], new float[40], new byte[40]);
        BlockQuantizer.RoundRun(format, values, packed, scales, zeros);

        for (var block = 0; block < 40; block++)
        {
            var codes = new byte[32];
            var part = values.AsSpan(block * 32, 32);
            var zero = format.MiddleCode;
            if (!BlockQuantizer.TryExact(format, part, codes, out var scale) && !(bits == 8 && BlockQuantizer.TryLevels(part, codes, out scale)))
            {
                (scale, zero) = BlockQuantizer.Round(format, part, codes);
            }

            var expected = new byte[format.CodeBytes];
            BlockQuantizer.Pack(bits, codes, expected);
            Assert.Equal((scale, zero), (scales[block], zeros[block]));
            Assert.Equal(expected, packed[(block * format.CodeBytes)..((block + 1) * format.CodeBytes)]);
        }
    }

    /// <summary>Blocks as ggml's Q4_1 has them: 16 levels from a minimum on, both f16.</summary>
    [Fact]
    public void The_levels_of_4_bit_blocks_keep_their_distances_in_8_bits()
    {
        var format = new BlockFormat(8, 32, Symmetric: true);
        var random = new Random(3);
        var (before, after) = (0.0, 0.0);
        for (var turn = 0; turn < 2000; turn++)
        {
            var step = (float)(Half)(0.001f + (random.NextSingle() * 0.02f));
            var minimum = (float)(Half)(-step * (5 + (5 * random.NextSingle())));
            float[] block = [.. Enumerable.Range(0, 32).Select(i => (step * (i switch { 0 => 0, 1 => 15, _ => random.Next(16) })) + minimum)];
            var (packed, scales, zeros, rounded) = (new byte[32], new float[1], new byte[1], new byte[32]);

            BlockQuantizer.RoundRun(format, block, packed, scales, zeros);
            var (scale, zero) = BlockQuantizer.Round(format, block, rounded);

            double[] errors = [.. block.Select((w, i) => ((packed[i] - zeros[0]) * (double)scales[0]) - w)];
            Assert.Equal(128, zeros[0]);
            Assert.All(errors, error => Assert.Equal(errors[0], error, 1e-3 * step)); // all weights are off by the same
            after += errors.Sum(e => e * e);
            before += block.Select((w, i) => ((rounded[i] - zero) * (double)scale) - w).Sum(e => e * e);
        }

        Assert.InRange(Math.Sqrt(after / before), 0, 0.55);
    }

    [Fact]
    public void Codes_scales_and_zero_points_are_those_of_the_runtimes_quantiser()
    {
        using var index = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "compression", "nbits", "nbits.json")));
        var vectors = new Vectors(SharedFolder.Require("vectors", "compression", "nbits", "nbits.safetensors"));
        var cases = index.RootElement.GetProperty("cases").EnumerateArray().ToList();
        foreach (var one in cases)
        {
            var name = one.GetProperty("name").GetString()!;
            var (rows, columns) = (one.GetProperty("N").GetInt32(), one.GetProperty("K").GetInt32());
            var format = new BlockFormat(one.GetProperty("bits").GetInt32(), one.GetProperty("block_size").GetInt32(), one.GetProperty("symmetric").GetBoolean());
            var weights = vectors.Floats(one.GetProperty("weight").GetString()!); // [K, N]
            var blocks = (int)format.BlocksOf(columns);
            var packed = new byte[rows * blocks * format.CodeBytes];
            var scales = new float[rows * blocks];
            var zeros = new int[rows * blocks];
            for (var row = 0; row < rows; row++)
            {
                for (var block = 0; block < blocks; block++)
                {
                    var first = block * format.BlockSize;
                    var values = Enumerable.Range(first, Math.Min(format.BlockSize, columns - first)).Select(k => weights[(k * rows) + row]).ToArray();
                    var codes = new byte[format.BlockSize]; // beyond the row stand zeros
                    var at = (row * blocks) + block;
                    (scales[at], zeros[at]) = BlockQuantizer.Round(format, values, codes);
                    BlockQuantizer.Pack(format.Bits, codes, packed.AsSpan(at * format.CodeBytes, format.CodeBytes));
                }
            }

            Assert.True(vectors.Floats($"{name}.scales").SequenceEqual(scales), $"{name}: scales");
            Assert.True(vectors.Bytes($"{name}.B").SequenceEqual(packed), $"{name}: codes");
            if (!format.Symmetric)
            {
                var expected = vectors.Bytes($"{name}.zero_points");
                var width = (int)format.ZeroPointBytesOf(columns);
                Assert.Equal(rows * width, expected.Length);
                for (var at = 0; at < zeros.Length; at++)
                {
                    var (row, block) = (at / blocks, at % blocks);
                    var found = format.Bits == 8 ? expected[(row * width) + block] : (expected[(row * width) + (block / 2)] >> (block % 2 * 4)) & 15;
                    Assert.True(found == zeros[at], $"{name}: zero point {at} is {zeros[at]}, recorded is {found}");
                }
            }
        }

        Assert.Equal(24, cases.Count);
    }

    [Theory]
    [InlineData(GgmlType.Q4_0, 4)]
    [InlineData(GgmlType.Q4_0, 8)]
    [InlineData(GgmlType.Q5_0, 8)]
    [InlineData(GgmlType.Q8_0, 8)]
    public void Blocks_that_were_published_as_blocks_come_back_without_loss(GgmlType type, int bits)
    {
        var vectors = new Vectors(SharedFolder.Require("vectors", "compression", "gguf", "gguf.safetensors"));
        var floats = vectors.Floats($"{type}.weights.floats");
        var format = new BlockFormat(bits, 32, Symmetric: true);
        var codes = new byte[32];
        foreach (var block in floats.Chunk(32))
        {
            Assert.True(BlockQuantizer.TryExact(format, block, codes, out var scale));
            Assert.Equal(block, codes.Select(code => (code - format.MiddleCode) * scale));
        }
    }

    [Fact]
    public void Blocks_with_a_minimum_come_back_without_loss()
    {
        var vectors = new Vectors(SharedFolder.Require("vectors", "compression", "gguf", "gguf.safetensors"));
        var codes = new byte[32];
        foreach (var block in vectors.Floats("Q4_1.weights.floats").Chunk(32))
        {
            Assert.True(BlockQuantizer.TryAffine(block, codes, out var scale, out var minimum));
            Assert.Equal(block, codes.Select(code => (code * scale) + minimum));
        }
    }

    [Fact]
    public void Weights_that_were_no_blocks_are_not_taken_for_some()
    {
        var random = new Random(7);
        var codes = new byte[32];
        for (var round = 0; round < 200; round++)
        {
            var block = Enumerable.Range(0, 32).Select(_ => (random.NextSingle() - 0.5f) * 0.1f).ToArray();
            var half = block.Select(v => (float)(Half)v).ToArray();
            foreach (var weights in new[] { block, half })
            {
                Assert.False(BlockQuantizer.TryExact(new BlockFormat(4, 32, true), weights, codes, out _));
                Assert.False(BlockQuantizer.TryExact(new BlockFormat(8, 32, true), weights, codes, out _));
                Assert.False(BlockQuantizer.TryAffine(weights, codes, out _, out _));
            }
        }
    }

    [Fact]
    public void Zeros_stay_zeros()
    {
        var codes = new byte[32];

        Assert.True(BlockQuantizer.TryExact(new BlockFormat(4, 32, true), new float[32], codes, out var scale));

        Assert.Equal(0, scale);
        Assert.All(codes, code => Assert.Equal(8, code));
        Assert.Equal((0f, 8), BlockQuantizer.Round(new BlockFormat(4, 32, true), new float[32], codes));
    }

    [Fact]
    public void Packing_by_vectors_is_packing_by_pairs()
    {
        var codes = Enumerable.Range(0, 96).Select(i => (byte)(i * 7 % 16)).ToArray();
        var packed = new byte[48];

        BlockQuantizer.Pack(4, codes, packed);

        Assert.Equal(codes.Chunk(2).Select(pair => (byte)(pair[0] | (pair[1] << 4))), packed);
    }

    /// <summary>A safetensors file of which bytes are wanted too.</summary>
    private sealed class Vectors(string path)
    {
        private readonly byte[] _raw = File.ReadAllBytes(path);

        public byte[] Bytes(string name)
        {
            var start = 8 + (int)BitConverter.ToInt64(_raw);
            using var header = JsonDocument.Parse(_raw.AsMemory(8, start - 8));
            var at = header.RootElement.GetProperty(name).GetProperty("data_offsets");
            return _raw[(start + at[0].GetInt32())..(start + at[1].GetInt32())];
        }

        public float[] Floats(string name)
        {
            var bytes = Bytes(name);
            var floats = new float[bytes.Length / sizeof(float)];
            Buffer.BlockCopy(bytes, 0, floats, 0, bytes.Length);
            return floats;
        }
    }
}
