using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Testing;
using YamlDotNet.RepresentationModel;

namespace LlmOs.Server.Tests.Apps;

/// <summary>The test that each template brings along, on the model it was written for.</summary>
public class GoldenTemplateTests(ServerProcess server)
{
    public static TheoryData<string> Templates =>
        [.. Directory.GetFiles(Path.Combine(SharedFolder.Repository, "src", "LlmOs.Apps", "Templates"), "*.yaml").Select(Path.GetFileNameWithoutExtension).OfType<string>()];

    [Theory]
    [MemberData(nameof(Templates))]
    public async Task A_template_gives_what_its_golden_test_says(string name)
    {
        using var client = new LlmOsClient(server.Client());
        var template = Assert.Single((await client.ListTemplatesAsync(null, default)).Items, t => t.Name == name);
        var (given, startsWith, minimumWords) = Golden(name);
        var inputs = given.ToDictionary(g => g.Key, g => template.Inputs.Single(i => i.Name == g.Key).Type is TemplateInputType.Text or TemplateInputType.Choice
            ? JsonSerializer.SerializeToElement(g.Value)
            : JsonDocument.Parse(g.Value).RootElement);
        await client.CreateAppAsync(new AppRequest { Template = name, Slug = $"golden-{name}", Settings = new AppSettings { Temperature = 0 } }, default);

        var reply = await client.InvokeAppAsync($"golden-{name}", inputs, default);

        var text = Assert.Single(reply.Output).Value;
        Assert.StartsWith(startsWith, text, StringComparison.Ordinal);
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.True(words.Length >= minimumWords, $"{words.Length} words, expected at least {minimumWords}: {text}");

        // A model that only repeats itself would pass the count.
        Assert.True(words.Distinct(StringComparer.OrdinalIgnoreCase).Count() >= words.Length / 3, text);
    }

    private static (Dictionary<string, string> Inputs, string StartsWith, int MinimumWords) Golden(string name)
    {
        var stream = new YamlStream();
        stream.Load(new StreamReader(Path.Combine(SharedFolder.Repository, "src", "LlmOs.Apps", "Templates", name + ".yaml")));
        var golden = (YamlMappingNode)stream.Documents[0].RootNode["golden"];
        var inputs = ((YamlMappingNode)golden["inputs"]).ToDictionary(p => ((YamlScalarNode)p.Key).Value!, p => ((YamlScalarNode)p.Value).Value!);
        return (inputs, ((YamlScalarNode)golden["starts_with"]).Value!, int.Parse(((YamlScalarNode)golden["minimum_words"]).Value!, System.Globalization.CultureInfo.InvariantCulture));
    }
}
