using LlmOs.Formats;

namespace LlmOs.MakeModel;

/// <summary>Published models by their dimensions alone.</summary>
internal static class ModelShapes
{
    public static IReadOnlyDictionary<string, ModelConfig> All { get; } = new Dictionary<string, ModelConfig>
    {
        // HuggingFaceTB/SmolLM2-135M-Instruct, config.json
        ["smollm2-135m"] = Llama(layers: 30, hidden: 576, heads: 9, kvHeads: 3, intermediate: 1536, vocabulary: 49152, context: 8192, theta: 100_000),
        // HuggingFaceTB/SmolLM2-360M-Instruct, config.json
        ["smollm2-360m"] = Llama(layers: 32, hidden: 960, heads: 15, kvHeads: 5, intermediate: 2560, vocabulary: 49152, context: 8192, theta: 100_000),
        // Qwen/Qwen2.5-0.5B, config.json; written in the Llama layout, without its biases
        ["qwen2.5-0.5b"] = Llama(layers: 24, hidden: 896, heads: 14, kvHeads: 2, intermediate: 4864, vocabulary: 151_936, context: 32_768, theta: 1_000_000),
        // Small enough for a test.
        ["tiny"] = Llama(layers: 2, hidden: 64, heads: 4, kvHeads: 2, intermediate: 128, vocabulary: 256, context: 256, theta: 10_000),
    };

    private static ModelConfig Llama(int layers, int hidden, int heads, int kvHeads, int intermediate, int vocabulary, int context, double theta) => new()
    {
        ModelType = "llama",
        Architecture = "LlamaForCausalLM",
        Layers = layers,
        Hidden = hidden,
        Heads = heads,
        KvHeads = kvHeads,
        HeadDim = hidden / heads,
        Intermediate = intermediate,
        Vocabulary = vocabulary,
        ContextLength = context,
        NormEpsilon = 1e-5,
        Rope = new RopeConfig { Theta = theta },
        TiedEmbeddings = true,
        BeginToken = 1,
        EndTokens = [2],
    };
}
