using LlmOs.Engine.Execution;
using LlmOs.Engine.Formats;
using LlmOs.Engine.Formats.Gguf;
using LlmOs.Engine.Tests.Execution;
using LlmOs.Engine.Text;
using LlmOs.Engine.Text.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Formats;

/// <summary>
/// Real files, spoilt 10,000 times each: a reader gives a value or its own refusal, and takes memory in proportion to the
/// file. What once failed: 954 (a token that is not UTF-8), 1735 (a name in a configuration that is not).
/// </summary>
public sealed class ReaderFuzzTests
{
    private const int Cases = 10_000;

    [Fact]
    public void Safetensors_headers() => Fuzz(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "reference.safetensors"),
        bytes => SafetensorsHeader.Read((offset, buffer) => Copy(bytes, offset, buffer), bytes.Length, "fuzz"),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    [Fact]
    public void Gguf_headers() => Fuzz(
        SharedFolder.Require("vectors", "compression", "gguf", "all-types.gguf"),
        bytes => GgufHeader.Read((offset, buffer) => Copy(bytes, offset, buffer), bytes.Length, "fuzz"),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    [Fact]
    public void Tokenizer_files() => Fuzz(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "tokenizer.json"),
        bytes => TokenizerJson.Parse(bytes).Encode("Spoilt tokenizers still answer.\n", true, true),
        fault => fault is TokenizerFormatException,
        allowedBytes: 64 << 20);

    [Fact]
    public void Configurations() => Fuzz(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "config.json"),
        bytes => ModelConfig.Read(ConfigJson.Parse(bytes, "config.json")),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    [Fact]
    public void Graphs()
    {
        var path = TinyLlama.Random(seed: 1, layers: 1, vocabulary: 32).Write();
        Fuzz(path, bytes => GraphFiles.ExternalFiles(new MemoryStream(bytes)), fault => fault is EngineGraphException, allowedBytes: 1 << 20);
    }

    private static void Fuzz(string path, Action<byte[]> read, Func<Exception, bool> isRefusal, long allowedBytes)
    {
        var original = File.ReadAllBytes(path);
        Assert.InRange(original.Length, 1, 16 << 20);
        var refused = 0;
        foreach (var seed in Enumerable.Range(0, Cases))
        {
            var bytes = Mutations.Spoil(original, seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(bytes);
            }
            catch (Exception fault) when (isRefusal(fault))
            {
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"{Path.GetFileName(path)}, seed {seed}: {fault}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= allowedBytes, $"{Path.GetFileName(path)}, seed {seed}: {allocated} bytes were allocated.");
        }

        Assert.InRange(refused, 1, Cases - 1); // the mutations do reach the reader
    }

    private static void Copy(byte[] bytes, long offset, Span<byte> buffer) => bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
}
