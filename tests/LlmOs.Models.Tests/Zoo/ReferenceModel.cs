using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// One tiny model of <c>../shared/models/hf-tiny</c> with the outputs of transformers that were recorded for it
/// (its README tells how).
/// </summary>
internal sealed class ReferenceModel : IDisposable
{
    private readonly SafetensorsFile _expected;
    private readonly JsonDocument _reference;

    public ReferenceModel(string model, string configFile = "config.json")
    {
        Folder = SharedFolder.Require("models", "hf-tiny", model);
        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(Folder, configFile)), configFile);
        Architecture = Architectures.Of(json);
        Config = Architecture.ReadConfig(json);
        Weights = SafetensorsFile.Open(Path.Combine(Folder, "model.safetensors"));
        _expected = SafetensorsFile.Open(Path.Combine(Folder, "reference.safetensors"));
        _reference = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "reference.json")));
    }

    public string Folder { get; }

    public Architecture Architecture { get; }

    public ModelConfig Config { get; }

    public SafetensorsFile Weights { get; }

    public IEnumerable<ReferenceCase> Cases(string kind) =>
        _reference.RootElement.GetProperty("cases").EnumerateArray().Where(c => c.GetProperty("kind").GetString() == kind).Select(c => new ReferenceCase(c, _expected));

    public void Dispose()
    {
        Weights.Dispose();
        _expected.Dispose();
        _reference.Dispose();
    }
}

/// <summary>One recorded run.</summary>
internal sealed class ReferenceCase(JsonElement json, SafetensorsFile tensors)
{
    public string Name { get; } = json.GetProperty("name").GetString()!;

    public JsonElement Json { get; } = json;

    /// <summary>What was recorded.</summary>
    public IReadOnlyList<string> Roles { get; } = json.TryGetProperty("tensors", out var roles) ? [.. roles.EnumerateObject().Select(p => p.Name)] : [];

    /// <summary>Rows without their padding.</summary>
    public int[][] Rows(string field) => Json.GetProperty(field).EnumerateArray().Select((row, i) =>
    {
        var ids = Ints(row);
        return field == "input_ids" && Json.TryGetProperty("attention_mask", out var mask)
            ? [.. ids.Zip(Ints(mask[i])).Where(p => p.Second == 1).Select(p => p.First)]
            : ids;
    }).ToArray();

    /// <summary>A recorded tensor of that role, flattened; null when the case has none.</summary>
    public float[]? Tensor(string role)
    {
        if (!Json.TryGetProperty("tensors", out var names) || !names.TryGetProperty(role, out var name))
        {
            return null;
        }

        var values = new float[tensors.Find(name.GetString()!)!.Elements];
        tensors.Read(name.GetString()!, 0, values);
        return values;
    }

    public static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>The largest distance between two lists of the same length.</summary>
    public static double Difference(IReadOnlyCollection<float> expected, IReadOnlyCollection<float> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.NotEmpty(expected);
        return expected.Zip(actual).Max(p => Math.Abs((double)p.First - p.Second));
    }
}
