using System.Globalization;
using System.Text.Json.Nodes;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;

namespace LlmOs.Models.Import.Gguf;

/// <summary>A GGUF file seen as a model: what its metadata says about the architecture that it names.</summary>
internal sealed class GgufModel(GgufFile file, string architecture)
{
    private const int MaxWidth = 1 << 20;

    public GgufFile File { get; } = file;

    public GgufMetadata Metadata { get; } = file.Metadata;

    public int Layers { get; } = file.Metadata.Whole($"{architecture}.block_count", 1, 4096) ?? throw file.Metadata.Missing($"{architecture}.block_count");

    public int Hidden { get; } = file.Metadata.Whole($"{architecture}.embedding_length", 1, MaxWidth) ?? throw file.Metadata.Missing($"{architecture}.embedding_length");

    public int Heads { get; } = file.Metadata.Whole($"{architecture}.attention.head_count", 1, MaxWidth) ?? throw file.Metadata.Missing($"{architecture}.attention.head_count");

    public int KvHeads => Whole("attention.head_count_kv") ?? Heads;

    public int HeadDim => Whole("attention.key_length") ?? (Hidden % Heads == 0
        ? Hidden / Heads
        : throw Metadata.Corrupt($"{architecture}.attention.head_count", $"({Heads}) does not divide the width {Hidden}"));

    /// <summary>Elements of a head that turn.</summary>
    public int RotaryDim => Whole("rope.dimension_count") ?? HeadDim;

    /// <summary>Tokens of a window; null where there is none, for which converters write nought.</summary>
    public int? Window => Metadata.Whole($"{architecture}.attention.sliding_window", 0, int.MaxValue) is { } width and > 0 ? width : null;

    public bool HasHead => File.Find("output.weight") is not null;

    /// <summary>A whole number of at least 1 below the architecture's name, or null.</summary>
    public int? Whole(string key) => Metadata.Whole($"{architecture}.{key}", 1, int.MaxValue);

    public int Need(string key) => Whole(key) ?? throw Metadata.Missing($"{architecture}.{key}");

    /// <summary>A number below the architecture's name, as somebody wrote it before it became an f32: 1e-05, not 9.99999975e-06.</summary>
    public double? Number(string key) => Metadata.Number($"{architecture}.{key}") is { } value
        ? double.Parse(((float)value).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
        : null;

    public bool? Flag(string key) => Metadata.Flag($"{architecture}.{key}");

    public string? Text(string key) => Metadata.Text($"{architecture}.{key}");

    /// <summary>All elements of a small tensor, or null where there is none.</summary>
    public float[]? Values(string tensor)
    {
        if (File.Find(tensor) is not { } found)
        {
            return null;
        }

        if (found.Elements > MaxWidth)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{Metadata.File}: tensor '{tensor}' has {found.Elements} elements, far more than such tables have.");
        }

        var values = new float[found.Elements];
        File.Read(tensor, 0, values);
        return values;
    }

    /// <summary>What the configurations of all decoders have in common, in the spelling that every loader reads.</summary>
    public JsonObject Config(string modelType, string className)
    {
        var vocabulary = File.Find("token_embd.weight") is { Shape: [var rows, _] } ? rows
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{Metadata.File}: it has no token_embd.weight of two dimensions.");
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(className),
            ["model_type"] = modelType,
            ["vocab_size"] = vocabulary,
            ["max_position_embeddings"] = Need("context_length"),
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = Whole("feed_forward_length") ?? Whole("expert_feed_forward_length") ?? throw Metadata.Missing($"{architecture}.feed_forward_length"),
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KvHeads,
            ["head_dim"] = HeadDim,
            ["tie_word_embeddings"] = !HasHead,
        };
        foreach (var (key, name) in new[] { ("bos", "bos_token_id"), ("eos", "eos_token_id"), ("padding", "pad_token_id") })
        {
            if (TokenId(key) is { } id)
            {
                config[name] = id;
            }
        }

        return config;
    }

    /// <summary>Adds RMS epsilon, activation and rotary positions.</summary>
    public JsonObject RotaryConfig(string modelType, string className)
    {
        var config = Config(modelType, className);
        config["rms_norm_eps"] = Number("attention.layer_norm_rms_epsilon") ?? throw Metadata.Missing($"{architecture}.attention.layer_norm_rms_epsilon");
        config["hidden_act"] = "silu";
        AddRotary(config);
        return config;
    }

    /// <summary>The same for a model with layer norms.</summary>
    public JsonObject LayerNormConfig(string modelType, string className, string epsilon = "layer_norm_eps")
    {
        var config = Config(modelType, className);
        config[epsilon] = Number("attention.layer_norm_epsilon") ?? throw Metadata.Missing($"{architecture}.attention.layer_norm_epsilon");
        return config;
    }

    public void AddRotary(JsonObject config)
    {
        config["rope_theta"] = Number("rope.freq_base") ?? 10_000;
        config["rope_scaling"] = Scaling();
    }

    /// <summary>Whether the first layer has a tensor; the others have it then, or an import finds them lacking.</summary>
    public bool LayersHave(string tensor) => File.Find("blk.0." + tensor) is not null;

    /// <summary>The id of a role; null where the file names none, or the -1 (as an unsigned number 4294967295) that means none.</summary>
    public int? TokenId(string kind)
    {
        var key = $"tokenizer.ggml.{kind}_token_id";
        return Metadata.Number(key) is -1 or uint.MaxValue ? null : Metadata.Whole(key, 0, int.MaxValue);
    }

    /// <summary>
    /// Scaled positions. The factors of Llama 3.1 are stored as a table, from which its rule is found again;
    /// a kind that is unknown here goes into the configuration, whose reader refuses it by name.
    /// </summary>
    private JsonObject? Scaling()
    {
        if (Values("rope_freqs.weight") is { } factors)
        {
            return Llama3(factors);
        }

        var type = Text("rope.scaling.type") ?? (Metadata.Has($"{architecture}.rope.scale_linear") ? "linear" : "none");
        var factor = Number("rope.scaling.factor") ?? Number("rope.scale_linear");
        return type == "none" || (type == "linear" && factor is null or 1) ? null : new JsonObject { ["rope_type"] = type, ["factor"] = factor };
    }

    private JsonObject Llama3(float[] factors)
    {
        const double Low = 1, High = 4;
        var factor = factors.Max();
        var theta = Number("rope.freq_base") ?? 10_000;
        // Neither factor nor original context is stored; all published models have 8192.
        foreach (var original in new[] { 8192, 4096, 16_384, 2048, 1024, 512, 256, 128, 64, 32 })
        {
            if (Enumerable.Range(0, factors.Length).All(i => Math.Abs(Divisor(i, original) - factors[i]) <= 1e-3 * factors[i]))
            {
                return new JsonObject
                {
                    ["rope_type"] = "llama3",
                    ["factor"] = factor,
                    ["low_freq_factor"] = Low,
                    ["high_freq_factor"] = High,
                    ["original_max_position_embeddings"] = original,
                };
            }
        }

        throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{Metadata.File}: rope_freqs.weight is not a table of Llama 3.1's scaling (factor {factor}), and no other is supported.");

        double Divisor(int i, int original)
        {
            var turns = original * Math.Pow(theta, -(double)i / factors.Length) / (2 * Math.PI);
            var kept = Math.Clamp((turns - Low) / (High - Low), 0, 1);
            return 1 / ((1 - kept) / factor + kept);
        }
    }
}
