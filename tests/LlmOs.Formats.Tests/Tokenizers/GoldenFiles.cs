using System.IO.Compression;
using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Answers of reference libraries that are kept with the tests, one JSON document a line.</summary>
internal static class GoldenFiles
{
    public static IEnumerable<JsonElement> Read(string name)
    {
        var path = Path.Combine(SharedFolder.Repository, "tests", "LlmOs.Formats.Tests", "Tokenizers", "Golden", name);
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    public static int[] Ids(this JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    /// <summary>A text for messages: what is not printable ASCII by its code.</summary>
    public static string Shown(string text) => string.Concat(text.Take(60).Select(unit => unit is >= ' ' and < '\x7F' ? unit.ToString() : $"\\u{(int)unit:X4}"));
}
