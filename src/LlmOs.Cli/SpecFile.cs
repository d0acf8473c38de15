using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LlmOs.Cli;

/// <summary>A job's specification as a JSON document, from a JSON or YAML file. The server checks the fields.</summary>
internal static class SpecFile
{
    /// <remarks>A relative <c>text: file:...</c> is taken from the specification's own folder, as in a makefile.</remarks>
    public static async Task<JsonElement> ReadAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            throw new UsageException($"There is no file '{path}'.");
        }

        var text = await File.ReadAllTextAsync(path, cancel);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".json" => ReadJson(text, path, folder),
            ".yaml" or ".yml" => ReadYaml(text, path, folder),
            var other => throw new UsageException($"'{path}' ends in '{other}'; a specification is a .yaml or a .json file."),
        };
    }

    /// <summary>The specification with one field set; a null value leaves it as it is.</summary>
    public static JsonElement With(JsonElement specification, string field, string? value)
    {
        if (value is null)
        {
            return specification;
        }

        var fields = JsonObject.Create(specification)!;
        fields[field] = value;
        return JsonSerializer.SerializeToElement(fields);
    }

    private static JsonElement ReadJson(string text, string path, string folder)
    {
        try
        {
            // JSON is YAML, and one walk then places the paths of both; the strict reader goes first for its messages.
            using (JsonDocument.Parse(text))
            {
                return ReadYaml(text, path, folder);
            }
        }
        catch (JsonException e)
        {
            throw new UsageException($"'{path}' is not JSON: {e.Message}");
        }
    }

    private static JsonElement ReadYaml(string text, string path, string folder)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new UsageException($"'{path}', line {e.Start.Line}: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // The scanner throws this for some unclosed brackets.
            throw new UsageException($"'{path}' is not YAML: a bracket or quote is not closed.");
        }

        if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
        {
            throw new UsageException($"'{path}' must hold one mapping of fields to values.");
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, root, folder);
        }

        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }

    private static void Write(Utf8JsonWriter writer, YamlNode node, string folder)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                writer.WriteStartObject();
                foreach (var (key, value) in mapping.Children)
                {
                    writer.WritePropertyName((key as YamlScalarNode)?.Value ?? throw new UsageException("A field's name must be a word, not a list or mapping."));
                    Write(writer, value, folder);
                }

                writer.WriteEndObject();
                break;
            case YamlSequenceNode sequence:
                writer.WriteStartArray();
                foreach (var item in sequence.Children)
                {
                    Write(writer, item, folder);
                }

                writer.WriteEndArray();
                break;
            case YamlScalarNode scalar:
                WriteScalar(writer, scalar, folder);
                break;
        }
    }

    /// <summary>YAML 1.2's core schema: only plain scalars can be null, booleans or numbers.</summary>
    private static void WriteScalar(Utf8JsonWriter writer, YamlScalarNode scalar, string folder)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            writer.WriteStringValue(Place(text, folder));
        }
        else if (text is "" or "~" or "null")
        {
            writer.WriteNullValue();
        }
        else if (text is "true" or "false")
        {
            writer.WriteBooleanValue(text == "true");
        }
        else if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            writer.WriteNumberValue(whole);
        }
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(Place(text, folder));
        }
    }

    private static string Place(string text, string folder) =>
        text.StartsWith("file:", StringComparison.Ordinal) ? ImportCommand.Locate(text, folder) : text;
}
