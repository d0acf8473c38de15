using LlmOs.Infrastructure;

namespace LlmOs.Apps.Templates;

/// <summary>The templates that this library carries, all checked when it is made.</summary>
internal sealed class TemplateCatalogue
{
    private const string Suffix = ".yaml";
    private readonly IReadOnlyDictionary<string, AppTemplate> _byName;

    private TemplateCatalogue(IEnumerable<AppTemplate> templates) =>
        _byName = templates.ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>In the order of their names.</summary>
    public IEnumerable<AppTemplate> All => _byName.Values.OrderBy(t => t.Name, StringComparer.Ordinal);

    /// <summary>Reads all of them; a <see cref="TemplateException"/> names the file and field that is wrong.</summary>
    public static TemplateCatalogue Load()
    {
        var library = typeof(TemplateCatalogue).Assembly;
        return new TemplateCatalogue(library.GetManifestResourceNames().Where(n => n.EndsWith(Suffix, StringComparison.Ordinal)).Select(resource =>
        {
            using var reader = new StreamReader(library.GetManifestResourceStream(resource)!);
            var stem = resource[..^Suffix.Length];
            return TemplateFile.Parse(stem[(stem.LastIndexOf('.') + 1)..] + Suffix, reader.ReadToEnd());
        }));
    }

    /// <summary>Null where there is no such template.</summary>
    public AppTemplate? Find(string name) => _byName.GetValueOrDefault(name);

    /// <param name="field">Where a request names it.</param>
    public AppTemplate Get(string name, string field) => _byName.TryGetValue(name, out var template)
        ? template
        : throw LlmOsException.Invalid(field, $"{field}: there is no template '{name}'; there is {string.Join(", ", _byName.Keys)}.");
}
