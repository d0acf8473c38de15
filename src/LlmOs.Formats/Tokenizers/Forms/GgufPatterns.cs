using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>How a byte-level BPE of a GGUF file cuts texts.</summary>
/// <param name="Sources">Regular expressions, one after the other, each match a piece of its own.</param>
internal sealed record GgufPattern(params IReadOnlyList<string> Sources)
{
    /// <summary>Whether a piece that is a token as a whole is taken as it is.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>Whether texts are brought to NFC first, as the models' own tokenizers do.</summary>
    public bool Composes { get; init; }

    /// <summary>Whether texts begin with the begin token where the file does not say.</summary>
    public bool BeginsTexts { get; init; }
}

/// <summary>The names of <c>tokenizer.ggml.pre</c> (ggml-org/llama.cpp, <c>llama-vocab.cpp</c>) and what they stand for.</summary>
internal static class GgufPatterns
{
    private const string Punctuation = @"[\p{P}\$\+<=>\^~\|`]+";
    private const string DeepSeekWords =
        """[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""";

    private static readonly GgufPattern Gpt2 = new(WordPatterns.Gpt2Source);
    private static readonly GgufPattern Digits = new(@"\p{N}", WordPatterns.Gpt2Source);
    private static readonly GgufPattern Llama3 = new(WordPatterns.Llama3Source) { IgnoresMerges = true, BeginsTexts = true };
    private static readonly GgufPattern Cl100k = new(WordPatterns.Llama3Source);
    private static readonly GgufPattern Qwen2 = new(WordPatterns.Qwen2Source) { Composes = true };

    private static readonly Dictionary<string, GgufPattern> Known = new(StringComparer.Ordinal)
    {
        ["default"] = new(@"[\p{P}\$\+<=>\^~\|]+", WordPatterns.Gpt2Source, @"\p{N}+", "[0-9][0-9][0-9]"),
        ["gpt-2"] = Gpt2,
        ["phi-2"] = Gpt2,
        ["mpt"] = Gpt2,
        ["olmo"] = Gpt2,
        ["jais"] = Gpt2,
        ["trillion"] = Gpt2,
        ["exaone4"] = Gpt2,
        ["granite-docling"] = Gpt2,
        ["modern-bert"] = Gpt2,
        ["roberta-bpe"] = Gpt2,
        ["jina-es"] = Gpt2,
        ["jina-de"] = Gpt2,
        ["jina-v1-en"] = Gpt2,
        ["jina-v2-es"] = Gpt2,
        ["jina-v2-de"] = Gpt2,
        ["jina-v2-code"] = Gpt2,
        ["gigachat"] = Gpt2,
        ["smollm"] = Digits,
        ["starcoder"] = Digits,
        ["refact"] = Digits,
        ["command-r"] = Digits,
        ["codeshell"] = Digits,
        ["exaone"] = Digits,
        ["minerva-7b"] = Digits,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["llama-bpe"] = Llama3,
        ["falcon3"] = Llama3,
        ["falcon-h1"] = Llama3,
        ["pixtral"] = Llama3,
        ["midm-2.0"] = Llama3,
        ["lfm2"] = Llama3,
        ["dbrx"] = Cl100k,
        ["smaug-bpe"] = Cl100k,
        ["glm4"] = Cl100k,
        ["chatglm-bpe"] = Cl100k,
        ["qwen2"] = Qwen2,
        ["deepseek-r1-qwen"] = Qwen2,
        ["megrez"] = Qwen2,
        ["stablelm2"] = Qwen2 with { Composes = false },
        ["hunyuan"] = Qwen2 with { Composes = false },
        ["grok-2"] = Qwen2 with { Composes = false },
        ["gpt-4o"] = new(WordPatterns.O200kSource),
        ["llama4"] = new(WordPatterns.O200kSource),
        ["minimax-m2"] = new(WordPatterns.O200kSource),
        ["tekken"] = new(WordPatterns.TekkenSource) { IgnoresMerges = true },
        ["falcon"] = new(Punctuation, WordPatterns.Gpt2Source, "[0-9][0-9][0-9]"),
        ["deepseek-coder"] = new(@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", @"\p{N}"),
        ["deepseek-v3"] = new(@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DeepSeekWords),
        ["hunyuan-dense"] = new(@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DeepSeekWords),
        ["bloom"] = new(@" ?[^(\s|.,!?…。，、।۔،)]+"),
        ["poro-chat"] = new(@" ?[^(\s|.,!?…。，、।۔،)]+"),
        ["gpt3-finnish"] = new(@" ?[^(\s|.,!?…。，、।۔،)]+"),
        ["viking"] = new(@" ?[^(\s|.,!?…。，、।۔،)]+", @"\p{N}"),
    };

    public static IEnumerable<string> Names => Known.Keys;

    public static GgufPattern? Find(string name) => Known.GetValueOrDefault(name);
}
