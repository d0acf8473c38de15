using LlmOs.Apps.Templates;
using LlmOs.Contracts;

namespace LlmOs.Apps.Tests.Templates;

public class TemplateFileTests
{
    private const string Good = """
        name: greeter
        title: Greeter
        description: Greets.
        model: starter
        inputs:
          - {name: who, type: text, label: Who, help: A name., max_length: 20}
          - {name: tone, type: choice, label: Tone, help: How., choices: [kind, curt], default: kind}
          - {name: length, type: integer, label: Length, help: Tokens., minimum: 1, maximum: 50, default: "10"}
        prompt: "A {{tone}} greeting for {{who}}:"
        output: greeting
        output_label: Greeting
        length_input: length
        max_tokens: 50
        stop: ["\n"]
        settings: {temperature: 0.5}
        golden:
          inputs: {who: Ada}
          starts_with: Hello
          minimum_words: 2
        languages:
          zh-Hans:
            title: 问候
            description: 写问候语。
            output_label: 问候语
            inputs: {who: {label: 谁, help: 姓名。}, tone: {label: 语气, help: 怎样。}, length: {label: 长度, help: 词元数。}}
        """;

    [Fact]
    public void A_good_file_becomes_a_template()
    {
        var template = TemplateFile.Parse("greeter.yaml", Good);

        Assert.Equal(["who", "tone", "length"], template.Inputs.Select(i => i.Name));
        Assert.Equal([TemplateInputType.Text, TemplateInputType.Choice, TemplateInputType.WholeNumber], template.Inputs.Select(i => i.Type));
        Assert.Equal(0.5, template.Settings.Temperature);
        Assert.Equal(["\n"], template.Stop);
    }

    [Theory]
    [InlineData("title: Greeter", "title: ''", "title: is missing")]
    [InlineData("name: greeter", "name: other", "it must be the file's own")]
    [InlineData("type: choice", "type: colour", "inputs.tone.type: must be text, integer, number or choice")]
    [InlineData("max_length: 20", "max_lenght: 20", "max_lenght")]
    [InlineData(", max_length: 20", "", "inputs.who: a number needs")]
    [InlineData("default: kind", "default: rude", "inputs.tone.default: expected one of kind, curt")]
    [InlineData("default: \"10\"", "default: \"99\"", "inputs.length.default: expected a whole number from 1 to 50, got 99")]
    [InlineData("{{who}}", "{{whom}}", "prompt: uses {{whom}}, which is not an input")]
    [InlineData("length_input: length", "length_input: who", "length_input: must name an input")]
    [InlineData("max_tokens: 50", "max_tokens: 20", "length_input: must name an input")]
    [InlineData("temperature: 0.5", "temperature: 3", "settings.temperature: must be between 0 and 2")]
    [InlineData("inputs: {who: Ada}", "inputs: {tone: kind}", "golden.inputs: lacks who")]
    [InlineData("inputs: {who: Ada}", "inputs: {who: Ada, mood: good}", "golden.inputs.mood: is not an input")]
    [InlineData("  starts_with: Hello\n", "", "golden.starts_with: is missing")]
    [InlineData("title: Greeter", "title: [", "line ")]
    [InlineData("zh-Hans:", "tlh:", "languages.tlh: is no language of pages besides en; there is zh-Hans")]
    [InlineData("    title: 问候\n", "", "languages.zh-Hans.title: is missing")]
    [InlineData(", tone: {label: 语气, help: 怎样。}", "", "languages.zh-Hans.inputs: lacks tone")]
    [InlineData("tone: {label: 语气", "mood: {label: 语气", "languages.zh-Hans.inputs.mood: is not an input")]
    [InlineData("help: 姓名。", "help: ''", "languages.zh-Hans.inputs.who.help: is missing")]
    public void A_fault_names_the_file_and_the_field(string good, string bad, string expected)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);

        var fault = Assert.Throws<TemplateException>(() => TemplateFile.Parse("greeter.yaml", Good.Replace(good, bad, StringComparison.Ordinal)));

        Assert.StartsWith("The template greeter.yaml: ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_speaks_the_languages_that_its_file_has_and_asks_the_same()
    {
        var template = TemplateFile.Parse("greeter.yaml", Good);

        var chinese = template.In("zh-Hans");

        Assert.Equal(("问候", "问候语", "语气"), (chinese.Title, chinese.OutputLabel, chinese.Inputs[1].Label));
        Assert.Equal(template.Inputs.Select(i => (i.Name, i.Type, i.Default)), chinese.Inputs.Select(i => (i.Name, i.Type, i.Default)));
        Assert.Same(template, template.In("fr"));
        Assert.Same(template, template.In(null));
    }

    [Fact]
    public void What_an_input_spells_is_not_filled_in_again()
    {
        var template = TemplateFile.Parse("greeter.yaml", Good);

        var prompt = template.Render(new Dictionary<string, string> { ["who"] = "{{tone}}", ["tone"] = "kind", ["length"] = "10" });

        Assert.Equal("A kind greeting for {{tone}}:", prompt);
    }

    [Fact]
    public void The_templates_of_the_library_are_good_and_include_the_story_writer()
    {
        var names = TemplateCatalogue.Load().All.Select(t => t.Name).ToList();

        Assert.Contains("story-writer", names);
        var files = Directory.GetFiles(Path.Combine(LlmOs.Testing.SharedFolder.Repository, "src", "LlmOs.Apps", "Templates"), "*.yaml");
        Assert.Equal(files.Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal), names);
    }
}
