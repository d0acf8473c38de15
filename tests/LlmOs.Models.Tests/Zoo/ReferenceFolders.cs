using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>The tiny models of the shared folder by their kind.</summary>
internal static class ReferenceFolders
{
    public static string? Root { get; } = SharedFolder.TryFind("models", "hf-tiny");

    /// <summary>Folders whose architecture is of the kind. Fails for one that is supported but not as this kind knows it.</summary>
    public static IEnumerable<string> Of<T>()
        where T : Architecture
    {
        if (Root is null)
        {
            yield return "none"; // the test that asks for it skips, and says why
            yield break;
        }

        foreach (var folder in Directory.GetDirectories(Root).Order(StringComparer.Ordinal))
        {
            var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")), "config.json");
            var className = json.Texts("architectures")[0];
            if (Architectures.All.OfType<T>().Any(a => a.ClassName == className && a.ModelType == json.Text("model_type")))
            {
                yield return Path.GetFileName(folder);
            }
        }
    }
}
