using System.Text.RegularExpressions;
using LlmOs.Contracts;

namespace LlmOs.Apps.Templates;

/// <summary>A template that has been checked: what it asks, how it prompts, and a test of itself.</summary>
/// <param name="Model">The model it was written for.</param>
/// <param name="Prompt">Text with <c>{{name}}</c> for the inputs.</param>
/// <param name="Output">The name of its answer.</param>
/// <param name="KeepsPrompt">Whether the answer begins with the prompt, as a continued story does.</param>
/// <param name="LengthInput">The input that says how many tokens to make; null: always <paramref name="MaxTokens"/>.</param>
/// <param name="Settings">What an app may change.</param>
internal sealed partial record AppTemplate(
    string Name,
    string Title,
    string Description,
    string Model,
    IReadOnlyList<TemplateInput> Inputs,
    string Prompt,
    string Output,
    string OutputLabel,
    bool KeepsPrompt,
    string? LengthInput,
    int MaxTokens,
    IReadOnlyList<string> Stop,
    AppSettings Settings,
    GoldenTest Golden)
{
    /// <summary>The words of other languages, by their tag.</summary>
    public IReadOnlyDictionary<string, TemplateWords> Languages { get; init; } = new Dictionary<string, TemplateWords>();

    /// <summary>The same template as it speaks to people of this language, where it has the words; else as its file is written.</summary>
    public AppTemplate In(string? language) => language is not null && Languages.TryGetValue(language, out var words)
        ? this with
        {
            Title = words.Title,
            Description = words.Description,
            OutputLabel = words.OutputLabel,
            Inputs = [.. Inputs.Select(i => i with { Label = words.Inputs[i.Name].Label, Help = words.Inputs[i.Name].Help })],
        }
        : this;

    public TemplateView ToView() => new(Name, Title, Description, Model, [.. Inputs.Select(i => i.ToView())]);

    /// <summary>The prompt with the inputs in their places. An input that itself spells a placeholder stays as it is.</summary>
    public string Render(IReadOnlyDictionary<string, string> inputs) => Placeholder().Replace(Prompt, match => inputs[match.Groups[1].Value]);

    /// <summary>Names that the prompt uses.</summary>
    public IEnumerable<string> Placeholders => Placeholder().Matches(Prompt).Select(m => m.Groups[1].Value);

    [GeneratedRegex(@"\{\{([a-z][a-z0-9_]*)\}\}")]
    private static partial Regex Placeholder();
}

/// <summary>A test that a template brings along: with these inputs, drawn greedily, the answer must look like this.</summary>
/// <param name="StartsWith">How the answer begins.</param>
/// <param name="MinimumWords">Fewest words of the answer.</param>
internal sealed record GoldenTest(IReadOnlyDictionary<string, string> Inputs, string StartsWith, int MinimumWords);
