using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Forms;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Gguf;

/// <summary>
/// Writes a GGUF model as a folder in Hugging Face layout: configuration, weights, tokenizer, chat template, card. From then
/// on it is a model like any other, which every tool loads and training can continue.
/// </summary>
internal static partial class GgufFolder
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file, or all parts of a split one, as <see cref="GgufFile.Open(IReadOnlyList{ValueTuple{string, string}})"/> takes them.</summary>
    /// <param name="path">The file, or the first part.</param>
    /// <exception cref="ModelFormatException">A part is missing.</exception>
    public static IReadOnlyList<(string Name, string Path)> PartsOf(string path)
    {
        var name = Path.GetFileName(path);
        if (PartName().Match(name) is not { Success: true } match)
        {
            return [(name, path)];
        }

        var count = int.Parse(match.Groups["count"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        if (count is 0 or > GgufFile.MaxParts)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{name} names {count} parts; 1 to {GgufFile.MaxParts} are read.");
        }

        List<(string Name, string Path)> parts = [];
        for (var i = 1; i <= count; i++)
        {
            var part = $"{match.Groups["stem"].Value}-{i:D5}-of-{count:D5}.gguf";
            var at = Path.Combine(Path.GetDirectoryName(path)!, part);
            parts.Add(File.Exists(at)
                ? (part, at)
                : throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{name} is part of a split file; its part '{part}' is not beside it."));
        }

        return parts;
    }

    /// <summary>Whether the file is a part other than the first.</summary>
    public static bool IsLaterPart(string name) => PartName().Match(name) is { Success: true } match && match.Groups["number"].Value != "00001";

    /// <param name="half">Whether weights are rounded to f16; else they are f32, exactly what the blocks stand for.</param>
    /// <param name="folder">An existing, empty folder.</param>
    /// <param name="report">Told the share done, from 0 to 1.</param>
    public static void Write(GgufFile file, bool half, string folder, Action<double> report, CancellationToken cancel)
    {
        var layout = GgufLayouts.Of(file.Metadata);
        var model = new GgufModel(file, layout.Architecture);
        var weights = new GgufWeights(file, layout.Parts(model));
        var config = layout.Config(model);
        config["torch_dtype"] = half ? "float16" : "float32";

        // Small files first: what they refuse is refused before gigabytes are written.
        WriteJson(folder, ModelFolder.ConfigFile, config);
        WriteJson(folder, "generation_config.json", Generation(model));
        if (GgufTokenizer.IsIn(file.Metadata))
        {
            WriteTokenizer(file.Metadata, model.Need("context_length"), folder);
        }

        if (file.Metadata.Text("tokenizer.chat_template") is { } template)
        {
            File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template, new UTF8Encoding(false));
        }

        File.WriteAllText(Path.Combine(folder, "README.md"), Card(file), new UTF8Encoding(false));
        WeightCopy.Write(weights, half ? TensorType.F16 : TensorType.F32, Path.Combine(folder, ModelFolder.WeightsFile), report, cancel);
    }

    /// <summary>The tokenizer as the engine publishes it, and what other tools want to read beside it.</summary>
    private static void WriteTokenizer(GgufMetadata metadata, int context, string folder)
    {
        const string Template = "chat_template";
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), GgufTokenizer.ToJson(metadata));
            var config = JsonNode.Parse(GgufTokenizer.ToConfigJson(metadata))!.AsObject();
            config["tokenizer_class"] = "PreTrainedTokenizerFast";
            config["clean_up_tokenization_spaces"] = false;
            config["model_max_length"] = context;
            if (config[Template] is JsonValue)
            {
                config.Remove(Template); // a single one has a file of its own
            }

            WriteJson(folder, "tokenizer_config.json", config);
        }
        catch (TokenizerFormatException fault)
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{metadata.File}: {fault.Message} Import the model from its published folder instead.", fault);
        }
    }

    /// <summary>Several tokens may end a reply: the end of the text, and the end of a turn.</summary>
    private static JsonObject Generation(GgufModel model)
    {
        var generation = new JsonObject();
        if (model.TokenId("bos") is { } begin)
        {
            generation["bos_token_id"] = begin;
        }

        var ends = new[] { model.TokenId("eos"), model.TokenId("eot") }.OfType<int>().Distinct().ToList();
        if (ends.Count > 0)
        {
            generation["eos_token_id"] = ends.Count == 1 ? ends[0] : new JsonArray([.. ends.Select(id => (JsonNode)id)]);
        }

        if (model.TokenId("padding") is { } pad)
        {
            generation["pad_token_id"] = pad;
        }

        return generation;
    }

    private static string Card(GgufFile file)
    {
        var text = new StringBuilder();
        if (file.Metadata.Text("general.license") is { } license && Word().IsMatch(license))
        {
            text.Append("---\nlicense: ").Append(license).Append("\n---\n\n");
        }

        var types = file.Tensors.GroupBy(t => t.Type).OrderByDescending(g => g.Sum(t => t.Bytes)).Select(g => $"{g.Count()} {g.Key}");
        var name = file.Metadata.Text("general.name") is { } said ? ModelName.Shorten(said.ReplaceLineEndings(" ")) : "A model";
        return text.Append("# ").Append(name).Append("\n\nImported from ").Append(file.Metadata.File).Append(", whose tensors were ").AppendJoin(", ", types).Append(".\n").ToString();
    }

    private static void WriteJson(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Json) + "\n", new UTF8Encoding(false));

    [GeneratedRegex(@"\A(?<stem>.{1,200})-(?<number>\d{5})-of-(?<count>\d{5})\.gguf\z", RegexOptions.CultureInvariant)]
    private static partial Regex PartName();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9.+_-]{0,100}\z")]
    private static partial Regex Word();
}
