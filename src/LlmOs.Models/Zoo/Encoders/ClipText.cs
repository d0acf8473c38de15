using System.Text;
using System.Text.Json.Nodes;
using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// The text encoder of CLIP (arXiv 2103.00020, section 2.4): each token sees those before it, and the state of the end token stands
/// for the text. Its numbers are those of transformers' CLIPTextModel and CLIPTextModelWithProjection. Of a whole CLIPModel the part
/// for texts is served, with its projection.
/// </summary>
internal static class ClipText
{
    private const string Body = "text_model.";
    private const string Projection = "text_projection.";

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("CLIPTextModel", config => config.Hidden, e => Write(e, project: false)),
        Make("CLIPTextModelWithProjection", config => config.ProjectionWidth, e => Write(e, project: true)),
        Make("CLIPModel", config => config.ProjectionWidth, e => Write(e, project: true)) with
        {
            ModelType = "clip",
            ReadConfig = json => Read(TextPart(json)),
            Rename = name => name,
            LeftOver = ["embeddings.position_ids", "vision_model.*", "visual_projection.*", "logit_scale"],
        },
    ];

    private static void Write(EncoderWriter encoder, bool project)
    {
        var (config, x) = (encoder.Config, States(encoder));
        encoder.WriteStates(x, pooler: null);
        var pooled = AtEnd(encoder, x);                                                                  // [B, H]
        var vector = project ? encoder.Writer.Linear(pooled, Projection[..^1], config.ProjectionWidth, config.Hidden, bias: false) : pooled;
        encoder.Output(vector, EncoderNames.Sentence, "B", project ? config.ProjectionWidth : config.Hidden);
    }

    private static string States(EncoderWriter encoder)
    {
        var config = encoder.Config;
        // What lies beyond a text's end comes after all of its tokens, so none sees it.
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim, Causal = true, Masked = false };
        var positions = encoder.EmbedPositions(Body + "embeddings.position_embedding", config.ContextLength);
        var x = encoder.State(encoder.Writer.Add(encoder.Embed(Body + "embeddings.token_embedding"), positions));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}encoder.layers.{layer}";
            var own = $"{at}.self_attn";
            var layers = new AttentionLayers($"{own}.q_proj", $"{own}.k_proj", $"{own}.v_proj", $"{own}.out_proj");
            x = encoder.Writer.Add(x, encoder.SelfAttention(encoder.Norm(x, $"{at}.layer_norm1"), layers, options));
            x = encoder.State(encoder.Writer.Add(x, encoder.Mlp(encoder.Norm(x, $"{at}.layer_norm2"), $"{at}.mlp.fc1", $"{at}.mlp.fc2", config.Intermediate)));
        }

        return encoder.Norm(x, Body + "final_layer_norm");
    }

    /// <summary>
    /// The state at each text's first end token, or at its first token where there is none: [B, H]. Old configurations name 2 as the end
    /// token, which it never was; with them it is the token of the greatest id.
    /// </summary>
    private static string AtEnd(EncoderWriter encoder, string x)
    {
        const int WrongEnd = 2;
        var (graph, writer, end) = (encoder.Writer.Graph, encoder.Writer, encoder.Config.EndTokens[0]);
        var ids = EncoderNames.InputIds;                                                                 // [B, S]
        var marks = graph.Node("Cast", [end == WrongEnd ? ids : graph.Node("Equal", [ids, writer.Whole(end)])], attributes: ("to", (long)OnnxType.Float));
        var inText = graph.Node("Squeeze", [encoder.Mask(), writer.Wholes(2)]);                          // padding may be the end token
        var place = graph.Node("ArgMax", [writer.Multiply(marks, inText)], attributes: [("axis", 1), ("keepdims", 1)]); // [B, 1]
        return graph.Node("GatherND", [x, place], attributes: ("batch_dims", 1));
    }

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Epsilon = "layer_norm_eps",
            DefaultEpsilon = 1e-5,
            DefaultActivation = "quick_gelu",
            DefaultContext = 77,
            Rotary = false,
        });
        return config with
        {
            EndTokens = config.EndTokens.Count > 0 ? config.EndTokens : [49_407],
            ProjectionWidth = json.Whole("projection_dim", 1, 1 << 18) ?? 512,
        };
    }

    /// <summary>The configuration of the text encoder within that of the whole, which leaves out what is as in the first published model.</summary>
    private static ConfigJson TextPart(ConfigJson json)
    {
        var text = new JsonObject
        {
            ["vocab_size"] = 49_408,
            ["hidden_size"] = 512,
            ["intermediate_size"] = 2048,
            ["num_hidden_layers"] = 12,
            ["num_attention_heads"] = 8,
        };
        foreach (var part in new[] { "text_config", "text_config_dict" }) // the older name goes before the newer one
        {
            foreach (var (key, value) in json.RawText(part) is { } raw && json.KindOf(part) == System.Text.Json.JsonValueKind.Object ? JsonNode.Parse(raw)!.AsObject() : [])
            {
                text[key] = value?.DeepClone();
            }
        }

        text["model_type"] = json.Text("model_type");
        text["architectures"] = new JsonArray([.. json.Texts("architectures").Select(name => (JsonNode)name)]);
        text["projection_dim"] = json.Whole("projection_dim", 1, 1 << 18) ?? 512;
        return ConfigJson.Parse(Encoding.UTF8.GetBytes(text.ToJsonString()), json.File);
    }

    private static EncoderArchitecture Make(string className, Func<ModelConfig, int> width, Action<EncoderWriter> build) =>
        new("clip_text_model", className, EncoderHead.None, HasTypes: false, HasPooler: false, Read, build)
        {
            SentenceWidth = width,
            // Newer files leave the body's name away.
            Rename = name => name.StartsWith(Body, StringComparison.Ordinal) || name.StartsWith(Projection, StringComparison.Ordinal) ? name : Body + name,
            LeftOver = ["embeddings.position_ids"],
        };
}
