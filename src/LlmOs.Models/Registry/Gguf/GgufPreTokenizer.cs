using System.Text.Json.Nodes;
using LlmOs.Engine.Formats;
using LlmOs.Engine.Formats.Gguf;

namespace LlmOs.Models.Registry.Gguf;

/// <summary>
/// How byte-level vocabularies cut text before pairs are merged; <c>tokenizer.ggml.pre</c> names it. Leaving a step out
/// gives ids that are wrong in a few texts only, which nobody notices, so an unknown name is refused.
/// </summary>
/// <param name="Normalizer">Of <c>tokenizer.json</c>, or null.</param>
/// <param name="Json">Of <c>tokenizer.json</c>.</param>
/// <param name="IgnoresMerges">Whether a piece that is a token as it stands is taken without merging.</param>
internal sealed record GgufPreTokenizer(JsonObject? Normalizer, JsonObject Json, bool IgnoresMerges)
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Spaces = @"\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly Dictionary<string, Func<GgufPreTokenizer>> Known = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = Gpt2,
        ["mpt"] = Gpt2,
        ["olmo"] = Gpt2,
        ["phi-2"] = Gpt2,
        ["smollm"] = DigitsThenGpt2,
        ["starcoder"] = DigitsThenGpt2,
        ["refact"] = DigitsThenGpt2,
        ["codeshell"] = DigitsThenGpt2,
        ["command-r"] = DigitsThenGpt2,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["llama-bpe"] = Llama3,
        ["falcon3"] = Llama3,
        ["qwen2"] = Qwen2,
        ["deepseek-r1-qwen"] = Qwen2,
        ["stablelm2"] = () => Qwen2() with { Normalizer = null },
        ["dbrx"] = () => Llama3() with { IgnoresMerges = false },
        ["default"] = Default,
    };

    /// <exception cref="ModelFormatException">The name is unknown.</exception>
    public static GgufPreTokenizer Of(GgufMetadata metadata)
    {
        const string Key = "tokenizer.ggml.pre";
        var name = metadata.Text(Key) ?? "default";
        return Known.TryGetValue(name, out var make)
            ? make()
            : throw new ModelFormatException(
                ModelFormatProblem.UnsupportedFormat,
                $"{metadata.File}: the pre-tokenizer '{ModelName.Shorten(name)}' ({Key}) is not known; known are {string.Join(", ", Known.Keys)}. Import the model from its published folder instead.");
    }

    private static GgufPreTokenizer Gpt2() => new(null, ByteLevel(splits: true), false);

    /// <summary>Every Unicode number stands alone.</summary>
    private static GgufPreTokenizer DigitsThenGpt2() => new(null, Sequence(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, ByteLevel(splits: true)), false);

    private static GgufPreTokenizer Llama3() => new(
        null, Sequence(Split($@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{Spaces}"), ByteLevel(splits: false)), true);

    private static GgufPreTokenizer Qwen2() => new(
        new JsonObject { ["type"] = "NFC" },
        Sequence(Split($@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{Spaces}"), ByteLevel(splits: false)),
        false);

    /// <summary>What llama.cpp does with files that name none.</summary>
    private static GgufPreTokenizer Default() => new(
        null,
        Sequence(
            Split(@"[\p{P}\$\+<=>\^~\|]+"),
            Split(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"),
            Split(@"\p{N}+"),
            Split("[0-9][0-9][0-9]"),
            ByteLevel(splits: false)),
        false);

    private static JsonObject Sequence(params JsonNode[] steps) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(steps) };

    private static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };

    private static JsonObject ByteLevel(bool splits) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = splits,
    };
}
