namespace LlmOs.Apps.Templates;

/// <summary>What a template says to people, in a language other than its file's own.</summary>
/// <param name="Inputs">Of each input, by its name.</param>
internal sealed record TemplateWords(string Title, string Description, string OutputLabel, IReadOnlyDictionary<string, InputWords> Inputs);

/// <summary>The words beside one field.</summary>
internal sealed record InputWords(string Label, string Help);
