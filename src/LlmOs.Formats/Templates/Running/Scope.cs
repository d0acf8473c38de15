using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>Names within a loop, a macro or the whole template, over those of what it stands in.</summary>
internal sealed class Scope
{
    private readonly Scope? _outer;
    private readonly IReadOnlyDictionary<string, TemplateValue>? _given;
    private Dictionary<string, TemplateValue>? _own;

    public Scope(Scope outer) => _outer = outer;

    /// <summary>The outermost: what the request gives.</summary>
    public Scope(IReadOnlyDictionary<string, TemplateValue> given) => _given = given;

    public void Set(string name, TemplateValue value) => (_own ??= new Dictionary<string, TemplateValue>(StringComparer.Ordinal))[name] = value;

    /// <summary>The innermost value of that name, else the function that every template has, else undefined.</summary>
    public TemplateValue Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope._outer)
        {
            if (scope._own is not null && scope._own.TryGetValue(name, out var own))
            {
                return own;
            }

            if (scope._given is not null && scope._given.TryGetValue(name, out var given))
            {
                return given;
            }
        }

        return (TemplateValue?)Globals.Find(name) ?? UndefinedValue.Name(name);
    }
}
