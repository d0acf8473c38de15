using System.Runtime.InteropServices;
using System.Text;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.MakeModel;

/// <summary>
/// The same weights as a GGUF file, version 3 (ggml's docs/gguf.md), so that a peer can be given equal work. It has no
/// vocabulary: it is for programs that are driven by token ids.
/// </summary>
internal static class GgufFile
{
    private const int Alignment = 32;
    private const int BlockElements = 32;

    public static void Write(ModelConfig config, string path, string name, string type)
    {
        var matrixType = BlockType.Of(type);
        var weights = new RandomWeights(config);
        var tensors = weights.Tensors.Select(t => (Tensor: t, Type: t.Shape.Count == 1 ? BlockType.F32 : matrixType)).ToList();

        using var file = new BinaryWriter(File.Create(path), Encoding.UTF8);
        var metadata = Metadata(config, name, matrixType);
        file.Write("GGUF"u8);
        file.Write(3u);
        file.Write((ulong)tensors.Count);
        file.Write((ulong)metadata.Count);
        metadata.ForEach(write => write(file));
        long at = 0;
        foreach (var (tensor, stored) in tensors)
        {
            Text(file, NameOf(tensor.Name));
            file.Write((uint)tensor.Shape.Count);
            foreach (var dimension in tensor.Shape.Reverse())
            {
                file.Write((ulong)dimension); // innermost first
            }

            file.Write(stored.Code);
            file.Write((ulong)at);
            at = Aligned(at + stored.BytesOf(tensor.Elements));
        }

        Pad(file);
        foreach (var (tensor, stored) in tensors)
        {
            WriteTensor(file, config, weights, tensor, stored);
            Pad(file);
        }
    }

    private static List<Action<BinaryWriter>> Metadata(ModelConfig config, string name, BlockType matrices) =>
    [
        f => TextPair(f, "general.architecture", "llama"),
        f => TextPair(f, "general.name", name),
        f => NumberPair(f, "general.file_type", matrices.FileType),
        f => NumberPair(f, "llama.block_count", (uint)config.Layers),
        f => NumberPair(f, "llama.context_length", (uint)config.ContextLength),
        f => NumberPair(f, "llama.embedding_length", (uint)config.Hidden),
        f => NumberPair(f, "llama.feed_forward_length", (uint)config.Intermediate),
        f => NumberPair(f, "llama.attention.head_count", (uint)config.Heads),
        f => NumberPair(f, "llama.attention.head_count_kv", (uint)config.KvHeads),
        f => NumberPair(f, "llama.rope.dimension_count", (uint)config.HeadDim),
        f => NumberPair(f, "llama.vocab_size", (uint)config.Vocabulary),
        f => FloatPair(f, "llama.attention.layer_norm_rms_epsilon", (float)config.NormEpsilon),
        f => FloatPair(f, "llama.rope.freq_base", (float)config.Rope.Theta),
        f => TextPair(f, "tokenizer.ggml.model", "no_vocab"),
    ];

    private static void WriteTensor(BinaryWriter file, ModelConfig config, RandomWeights weights, TensorInfo tensor, BlockType stored)
    {
        if (tensor.Shape.Count == 1)
        {
            var all = new float[tensor.Elements];
            weights.Read(tensor.Name, 0, all);
            stored.Write(file, all);
            return;
        }

        var heads = tensor.Name.Contains(".q_proj.", StringComparison.Ordinal) ? config.Heads
            : tensor.Name.Contains(".k_proj.", StringComparison.Ordinal) ? config.KvHeads : 0;
        var row = new float[tensor.Shape[1]];
        for (long target = 0; target < tensor.Shape[0]; target++)
        {
            weights.Read(tensor.Name, SourceRow(target, heads, config.HeadDim) * row.Length, row);
            stored.Write(file, row);
        }
    }

    /// <summary>GGUF holds rotary pairs side by side; the published layout holds them half a head apart.</summary>
    private static long SourceRow(long target, int heads, int headDim)
    {
        if (heads == 0)
        {
            return target;
        }

        var (head, j) = (target / headDim, target % headDim);
        return head * headDim + (j % 2) * (headDim / 2) + j / 2;
    }

    private static string NameOf(string published) => published switch
    {
        LlamaWeights.Embedding => "token_embd.weight",
        LlamaWeights.FinalNorm => "output_norm.weight",
        LlamaWeights.Head => "output.weight",
        _ => LayerName(published.Split('.')),
    };

    private static string LayerName(string[] parts) => $"blk.{parts[2]}." + parts[^2] switch
    {
        "input_layernorm" => "attn_norm.weight",
        "post_attention_layernorm" => "ffn_norm.weight",
        "q_proj" => "attn_q.weight",
        "k_proj" => "attn_k.weight",
        "v_proj" => "attn_v.weight",
        "o_proj" => "attn_output.weight",
        "gate_proj" => "ffn_gate.weight",
        "up_proj" => "ffn_up.weight",
        "down_proj" => "ffn_down.weight",
        var other => throw new ArgumentException($"GGUF has no name for the weight '{other}'."),
    };

    private static void Pad(BinaryWriter file)
    {
        file.Flush();
        file.Write(new byte[Aligned(file.BaseStream.Position) - file.BaseStream.Position]);
    }

    private static long Aligned(long position) => (position + Alignment - 1) / Alignment * Alignment;

    private static void Text(BinaryWriter file, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        file.Write((ulong)bytes.Length);
        file.Write(bytes);
    }

    private static void TextPair(BinaryWriter file, string key, string value)
    {
        Text(file, key);
        file.Write(8u);
        Text(file, value);
    }

    private static void NumberPair(BinaryWriter file, string key, uint value)
    {
        Text(file, key);
        file.Write(4u);
        file.Write(value);
    }

    private static void FloatPair(BinaryWriter file, string key, float value)
    {
        Text(file, key);
        file.Write(6u);
        file.Write(value);
    }

    /// <summary>How ggml stores elements: its type code, the file type it makes, and bytes for each run of elements.</summary>
    private sealed record BlockType(uint Code, uint FileType, int BlockBytes, int Elements, Action<BinaryWriter, float[]> Write)
    {
        public static readonly BlockType F32 = new(0, 0, sizeof(float), 1, (file, row) => file.Write(MemoryMarshal.AsBytes(row.AsSpan())));

        public static BlockType Of(string type) => type switch
        {
            "f32" => F32,
            "f16" => new(1, 1, sizeof(ushort), 1, WriteHalf),
            "q4_0" => new(2, 2, 2 + (BlockElements / 2), BlockElements, WriteQ4),
            "q8_0" => new(8, 7, 2 + BlockElements, BlockElements, WriteQ8),
            _ => throw new ArgumentException($"The type is '{type}'; GGUF takes f32, f16, q8_0 or q4_0."),
        };

        public long BytesOf(long elements) => elements / Elements * BlockBytes;

        private static void WriteHalf(BinaryWriter file, float[] row)
        {
            foreach (var value in row)
            {
                file.Write((Half)value);
            }
        }

        /// <summary>Scale = largest magnitude / 127; codes round half away from zero.</summary>
        private static void WriteQ8(BinaryWriter file, float[] row)
        {
            foreach (var block in row.Chunk(BlockElements))
            {
                var scale = block.Max(MathF.Abs) / 127f;
                file.Write((Half)scale);
                foreach (var value in block)
                {
                    file.Write((sbyte)MathF.Round(scale == 0 ? 0 : value / scale, MidpointRounding.AwayFromZero));
                }
            }
        }

        /// <summary>Scale = the value of largest magnitude / -8; elements i and i + 16 share a byte.</summary>
        private static void WriteQ4(BinaryWriter file, float[] row)
        {
            foreach (var block in row.Chunk(BlockElements))
            {
                var scale = block.MaxBy(MathF.Abs) / -8f;
                file.Write((Half)scale);
                int Code(float value) => Math.Min(15, (int)((scale == 0 ? 0 : value / scale) + 8.5f));
                for (var i = 0; i < BlockElements / 2; i++)
                {
                    file.Write((byte)(Code(block[i]) | (Code(block[i + (BlockElements / 2)]) << 4)));
                }
            }
        }
    }
}
