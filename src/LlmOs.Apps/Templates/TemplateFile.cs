using System.Text.RegularExpressions;
using LlmOs.Contracts;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace LlmOs.Apps.Templates;

/// <summary>A template's YAML file could not be used; the message names the file and the field.</summary>
public sealed class TemplateException(string file, string message) : Exception($"The template {file}: {message}");

/// <summary>Reads and checks one template file. A field that is not known here is refused, so a misspelt one is not passed over.</summary>
internal static partial class TemplateFile
{
    public static AppTemplate Parse(string file, string yaml)
    {
        var reader = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();
        Document document;
        try
        {
            document = reader.Deserialize<Document>(yaml) ?? throw new TemplateException(file, "is empty.");
        }
        catch (YamlException e)
        {
            throw new TemplateException(file, $"line {e.Start.Line}: {e.InnerException?.Message ?? e.Message}");
        }

        var template = new Reader(file).Read(document);
        return template.Name == Path.GetFileNameWithoutExtension(file)
            ? template
            : throw new TemplateException(file, $"name is '{template.Name}'; it must be the file's own.");
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex FieldName();

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex TemplateName();

    private sealed class Reader(string file)
    {
        public AppTemplate Read(Document document)
        {
            var inputs = Required(document.Inputs, "inputs").ConvertAll(ReadInput);
            if (inputs.GroupBy(i => i.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            {
                throw Fault("inputs", $"'{twice.Key}' stands there twice.");
            }

            var template = new AppTemplate(
                Matching(document.Name, "name", TemplateName()),
                Required(document.Title, "title"),
                Required(document.Description, "description"),
                Required(document.Model, "model"),
                inputs,
                Required(document.Prompt, "prompt"),
                Matching(document.Output, "output", FieldName()),
                Required(document.OutputLabel, "output_label"),
                document.KeepsPrompt,
                document.LengthInput,
                InRange(document.MaxTokens, "max_tokens", 1, 100_000),
                document.Stop ?? [],
                ReadSettings(document.Settings ?? new Settings()),
                ReadGolden(Required(document.Golden, "golden"), inputs))
            {
                Languages = (document.Languages ?? []).ToDictionary(l => l.Key, l => ReadWords(l.Key, l.Value, inputs)),
            };
            Check(template);
            return template;
        }

        private TemplateInput ReadInput(Input input)
        {
            var name = Matching(input.Name, "inputs.name", FieldName());
            var at = $"inputs.{name}";
            var type = input.Type switch
            {
                "text" => TemplateInputType.Text,
                "integer" => TemplateInputType.WholeNumber,
                "number" => TemplateInputType.Number,
                "choice" => TemplateInputType.Choice,
                _ => throw Fault($"{at}.type", "must be text, integer, number or choice."),
            };
            var isNumber = type is TemplateInputType.WholeNumber or TemplateInputType.Number;
            if (isNumber != (input.Minimum is not null && input.Maximum is not null && input.Minimum <= input.Maximum) || (type == TemplateInputType.Text) != (input.MaxLength > 0)
                || (type == TemplateInputType.Choice) != (input.Choices?.Count > 0))
            {
                throw Fault(at, "a number needs minimum and maximum, a text max_length, a choice choices; and nothing of the others.");
            }

            var result = new TemplateInput(
                name, type, Required(input.Label, $"{at}.label"), Required(input.Help, $"{at}.help"), input.Default, input.Minimum, input.Maximum, input.MaxLength, input.Choices ?? []);
            return result.Default is { } standing && result.Read(standing).Fault is { } fault
                ? throw Fault($"{at}.default", fault)
                : result;
        }

        private TemplateWords ReadWords(string language, Words words, IReadOnlyList<TemplateInput> inputs)
        {
            var at = $"languages.{language}";
            if (language == PageLanguages.Default || !PageLanguages.All.ContainsKey(language))
            {
                throw Fault(at, $"is no language of pages besides {PageLanguages.Default}; there is {string.Join(", ", PageLanguages.All.Keys.Where(l => l != PageLanguages.Default))}.");
            }

            var given = words.Inputs ?? [];
            if (given.Keys.FirstOrDefault(name => inputs.All(i => i.Name != name)) is { } unknown)
            {
                throw Fault($"{at}.inputs.{unknown}", "is not an input.");
            }

            return new TemplateWords(
                Required(words.Title, $"{at}.title"),
                Required(words.Description, $"{at}.description"),
                Required(words.OutputLabel, $"{at}.output_label"),
                inputs.ToDictionary(i => i.Name, i => given.GetValueOrDefault(i.Name) is { } input
                    ? new InputWords(Required(input.Label, $"{at}.inputs.{i.Name}.label"), Required(input.Help, $"{at}.inputs.{i.Name}.help"))
                    : throw Fault($"{at}.inputs", $"lacks {i.Name}.")));
        }

        private AppSettings ReadSettings(Settings settings) => new()
        {
            Temperature = InRange(settings.Temperature, "settings.temperature", 0, 2),
            TopK = InRange(settings.TopK, "settings.top_k", 0, 100_000),
            TopP = InRange(settings.TopP, "settings.top_p", 0, 1),
            RepetitionPenalty = InRange(settings.RepetitionPenalty, "settings.repetition_penalty", 0.1, 2),
        };

        private GoldenTest ReadGolden(Golden golden, IReadOnlyList<TemplateInput> inputs)
        {
            var values = Required(golden.Inputs, "golden.inputs");
            foreach (var (name, value) in values)
            {
                var input = inputs.FirstOrDefault(i => i.Name == name) ?? throw Fault($"golden.inputs.{name}", "is not an input.");
                if (input.Read(value).Fault is { } fault)
                {
                    throw Fault($"golden.inputs.{name}", fault);
                }
            }

            return new GoldenTest(values, Required(golden.StartsWith, "golden.starts_with"), InRange(golden.MinimumWords, "golden.minimum_words", 1, 100_000));
        }

        /// <summary>What only the parts together can get wrong.</summary>
        private void Check(AppTemplate template)
        {
            if (template.Placeholders.FirstOrDefault(p => template.Inputs.All(i => i.Name != p)) is { } unknown)
            {
                throw Fault("prompt", $"uses {{{{{unknown}}}}}, which is not an input.");
            }

            if (template.LengthInput is { } length
                && !template.Inputs.Any(i => i.Name == length && i.Type == TemplateInputType.WholeNumber && i.Minimum >= 1 && i.Maximum <= template.MaxTokens))
            {
                throw Fault("length_input", "must name an input of type integer between 1 and max_tokens.");
            }

            if (template.Inputs.FirstOrDefault(i => i.Default is null && !template.Golden.Inputs.ContainsKey(i.Name)) is { } missing)
            {
                throw Fault("golden.inputs", $"lacks {missing.Name}.");
            }
        }

        private TemplateException Fault(string field, string message) => new(file, $"{field}: {message}");

        private T Required<T>(T? value, string field)
            where T : class => value is null or "" ? throw Fault(field, "is missing.") : value;

        private string Matching(string? value, string field, Regex pattern) =>
            pattern.IsMatch(Required(value, field)) ? value! : throw Fault(field, $"must match {pattern}.");

        private T InRange<T>(T value, string field, T min, T max)
            where T : struct, IComparable<T> =>
            value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0 ? value : throw Fault(field, $"must be between {min} and {max}.");

        private T? InRange<T>(T? value, string field, T min, T max)
            where T : struct, IComparable<T> => value is { } number ? InRange(number, field, min, max) : null;
    }

    // The file as it is written; every field may be missing until Reader has looked at it.

    private sealed class Document
    {
        public string? Name { get; set; }

        public string? Title { get; set; }

        public string? Description { get; set; }

        public string? Model { get; set; }

        public List<Input>? Inputs { get; set; }

        public string? Prompt { get; set; }

        public string? Output { get; set; }

        public string? OutputLabel { get; set; }

        public bool KeepsPrompt { get; set; }

        public string? LengthInput { get; set; }

        public int MaxTokens { get; set; }

        public List<string>? Stop { get; set; }

        public Settings? Settings { get; set; }

        public Golden? Golden { get; set; }

        public Dictionary<string, Words>? Languages { get; set; }
    }

    private sealed class Words
    {
        public string? Title { get; set; }

        public string? Description { get; set; }

        public string? OutputLabel { get; set; }

        public Dictionary<string, WordsOfInput>? Inputs { get; set; }
    }

    private sealed class WordsOfInput
    {
        public string? Label { get; set; }

        public string? Help { get; set; }
    }

    private sealed class Input
    {
        public string? Name { get; set; }

        public string? Type { get; set; }

        public string? Label { get; set; }

        public string? Help { get; set; }

        public string? Default { get; set; }

        public double? Minimum { get; set; }

        public double? Maximum { get; set; }

        public int? MaxLength { get; set; }

        public List<string>? Choices { get; set; }
    }

    private sealed class Settings
    {
        public double? Temperature { get; set; }

        public int? TopK { get; set; }

        public double? TopP { get; set; }

        public double? RepetitionPenalty { get; set; }
    }

    private sealed class Golden
    {
        public Dictionary<string, string>? Inputs { get; set; }

        public string? StartsWith { get; set; }

        public int MinimumWords { get; set; }
    }
}
