using System.Text.Json.Nodes;
using LlmOs.Formats;

namespace LlmOs.MakeModel;

/// <summary>A folder in Hugging Face layout, without a tokenizer: it answers token ids.</summary>
internal static class SafetensorsFolder
{
    public static void Write(ModelConfig config, string folder, string type)
    {
        var stored = type switch
        {
            "f32" => TensorType.F32,
            "f16" => TensorType.F16,
            "bf16" => TensorType.BF16,
            _ => throw new ArgumentException($"The type is '{type}'; safetensors takes f32, f16 or bf16."),
        };
        var weights = new RandomWeights(config);
        using (var file = File.Create(Path.Combine(folder, "model.safetensors")))
        {
            var writer = new SafetensorsWriter(file, [.. weights.Tensors.Select(t => t with { Type = stored })]);
            var buffer = new float[1 << 18];
            foreach (var tensor in weights.Tensors)
            {
                for (long at = 0; at < tensor.Elements; at += buffer.Length)
                {
                    var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Elements - at));
                    weights.Read(tensor.Name, at, part);
                    writer.Write(tensor.Name, part);
                }
            }

            writer.Complete();
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), Config(config, stored).ToString());
    }

    private static JsonObject Config(ModelConfig config, TensorType stored) => new()
    {
        ["architectures"] = new JsonArray(config.Architecture),
        ["model_type"] = config.ModelType,
        ["hidden_size"] = config.Hidden,
        ["intermediate_size"] = config.Intermediate,
        ["num_hidden_layers"] = config.Layers,
        ["num_attention_heads"] = config.Heads,
        ["num_key_value_heads"] = config.KvHeads,
        ["head_dim"] = config.HeadDim,
        ["vocab_size"] = config.Vocabulary,
        ["max_position_embeddings"] = config.ContextLength,
        ["rms_norm_eps"] = config.NormEpsilon,
        ["rope_theta"] = config.Rope.Theta,
        ["hidden_act"] = "silu",
        ["tie_word_embeddings"] = config.TiedEmbeddings,
        ["attention_bias"] = config.AttentionBias,
        ["mlp_bias"] = config.MlpBias,
        ["bos_token_id"] = config.BeginToken,
        ["eos_token_id"] = config.EndTokens[0],
        ["torch_dtype"] = stored switch { TensorType.F16 => "float16", TensorType.BF16 => "bfloat16", _ => "float32" },
    };
}
