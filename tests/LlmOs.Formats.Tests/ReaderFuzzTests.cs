using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests;

/// <summary>
/// Real files, spoilt 10,000 times each: a reader gives a value or its own refusal, and takes memory in proportion to the
/// file. What once failed: 954 (a token that is not UTF-8), 1735 (a name in a configuration that is not).
/// </summary>
public sealed class ReaderFuzzTests
{
    [Fact]
    public void Safetensors_headers() => ReaderFuzz.Run(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "reference.safetensors"),
        bytes => SafetensorsHeader.Read((offset, buffer) => Copy(bytes, offset, buffer), bytes.Length, "fuzz"),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    [Fact]
    public void Gguf_headers() => ReaderFuzz.Run(
        SharedFolder.Require("vectors", "compression", "gguf", "all-types.gguf"),
        bytes => GgufHeader.Read((offset, buffer) => Copy(bytes, offset, buffer), bytes.Length, "fuzz"),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    [Fact]
    public void Tokenizer_files() => ReaderFuzz.Run(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "tokenizer.json"),
        bytes => TokenizerJson.Parse(bytes).Encode("Spoilt tokenizers still answer.\n", true, true),
        fault => fault is TokenizerFormatException,
        allowedBytes: 64 << 20);

    [Fact]
    public void Configurations() => ReaderFuzz.Run(
        SharedFolder.Require("models", "hf-tiny", "llama-gqa", "config.json"),
        bytes => ModelConfig.Read(ConfigJson.Parse(bytes, "config.json")),
        fault => fault is ModelFormatException,
        allowedBytes: 4 << 20);

    private static void Copy(byte[] bytes, long offset, Span<byte> buffer) => bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
}
