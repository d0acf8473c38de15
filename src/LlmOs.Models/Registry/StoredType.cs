using System.Text;
using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Models.Import;

namespace LlmOs.Models.Registry;

/// <summary>What a configuration says of how its weights are stored.</summary>
internal static class StoredType
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>The configuration with the weights' new type, under the key that it used.</summary>
    /// <param name="type">F32 or F16.</param>
    /// <param name="folder">Where it is written.</param>
    public static LayoutFile Write(LayoutFile config, TensorType type, string folder)
    {
        var json = PublishedJson.ParseObject(File.ReadAllBytes(config.Location), config.Path);
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = type == TensorType.F16 ? "float16" : "float32";
        var path = Path.Combine(folder, config.Path);
        File.WriteAllText(path, json.ToJsonString(Json) + "\n", new UTF8Encoding(false));
        return new LayoutFile(config.Path, path) { MayMove = true };
    }
}
