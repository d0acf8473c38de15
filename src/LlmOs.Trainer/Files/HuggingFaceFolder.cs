using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;

namespace LlmOs.Trainer.Files;

/// <summary>Writes the files of a model in Hugging Face's layout, so that any other tool can load it.</summary>
internal static class HuggingFaceFolder
{
    public const string ConfigFile = BaseModel.ConfigFile;

    private static readonly JsonWriterOptions Json = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="endToken">Id that ends a document; it begins one too, since documents follow each other.</param>
    /// <param name="half">Whether the weights are stored in f16.</param>
    public static void WriteConfig(string folder, DecoderSizes sizes, int endToken, bool half) => WriteJson(folder, ConfigFile, json =>
    {
        sizes.WriteConfig(json);
        json.WriteNumber("bos_token_id", endToken);
        json.WriteNumber("eos_token_id", endToken);
        json.WriteNumber("initializer_range", 0.02);
        json.WriteBoolean("tie_word_embeddings", sizes.TiedHead);
        json.WriteString("torch_dtype", DtypeOf(half));
        json.WriteBoolean("use_cache", true);
        json.WriteNumber("vocab_size", sizes.Vocabulary);
    });

    /// <summary>The configuration of the model that was trained on, with the type that its weights have now.</summary>
    public static void CopyConfig(string from, string folder, bool half)
    {
        var config = PublishedJson.ParseObject(File.ReadAllBytes(Path.Combine(from, ConfigFile)), ConfigFile);
        config.Remove("dtype");
        config["torch_dtype"] = DtypeOf(half);
        File.WriteAllText(Path.Combine(folder, ConfigFile), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n", new UTF8Encoding(false));
    }

    private static string DtypeOf(bool half) => half ? "float16" : "float32";

    public static void WriteGenerationConfig(string folder, int endToken) => WriteJson(folder, "generation_config.json", json =>
    {
        json.WriteNumber("bos_token_id", endToken);
        json.WriteNumber("eos_token_id", endToken);
    });

    /// <param name="endOfDocument">Spelling of the token that ends a document.</param>
    /// <param name="chatTemplate">Jinja; null leaves it away.</param>
    public static void WriteTokenizerConfig(string folder, string endOfDocument, int context, string? chatTemplate) =>
        WriteJson(folder, "tokenizer_config.json", json =>
        {
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
            json.WriteBoolean("add_prefix_space", false);
            json.WriteBoolean("clean_up_tokenization_spaces", false);
            json.WriteString("bos_token", endOfDocument);
            json.WriteString("eos_token", endOfDocument);
            json.WriteNumber("model_max_length", context);
            if (chatTemplate is not null)
            {
                json.WriteString("chat_template", chatTemplate);
            }
        });

    /// <summary>A model card with the licence where other tools look for it.</summary>
    public static void WriteCard(string folder, string name, string? license, DecoderSizes sizes, bool continued)
    {
        var layout = BaseModel.ArchitectureOf(sizes).Training!.Title;
        var origin = continued ? "trained further" : "trained from scratch";
        var head = license is null ? "" : $"---\nlicense: {license}\n---\n\n";
        File.WriteAllText(
            Path.Combine(folder, "README.md"),
            FormattableString.Invariant($"{head}# {name}\n\nA decoder of the {layout} layout with {sizes.Parameters} weights, {origin} with LlmOs.\n"),
            new UTF8Encoding(false));
    }

    /// <summary>Writes one object to a file.</summary>
    public static void WriteJson(string folder, string name, Action<Utf8JsonWriter> properties)
    {
        using var file = File.Create(Path.Combine(folder, name));
        using (var json = new Utf8JsonWriter(file, Json))
        {
            json.WriteStartObject();
            properties(json);
            json.WriteEndObject();
        }

        file.Write("\n"u8);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Writes tensors of one type to a file and the disk.</summary>
    public static void WriteTensors(string path, TensorType type, IReadOnlyList<(string Name, long[] Shape)> tensors, Action<SafetensorsWriter> write)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        var writer = new SafetensorsWriter(file, [.. tensors.Select(t => new TensorInfo(t.Name, type, t.Shape))]);
        write(writer);
        writer.Complete();
        file.Flush(flushToDisk: true);
    }
}
