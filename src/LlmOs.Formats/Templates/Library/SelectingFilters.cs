using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Filters that apply a filter or a test to every item: <c>map</c>, <c>select</c>, <c>reject</c> and those by attribute.</summary>
internal static class SelectingFilters
{
    public static IEnumerable<FunctionValue> All() =>
    [
        Signature.Define("map", "value *", (run, a) => new GeneratorValue(Map(run, a))),
        Signature.Define("select", "value *", (run, a) => new GeneratorValue(Select(run, a, byAttribute: false, wanted: true))),
        Signature.Define("reject", "value *", (run, a) => new GeneratorValue(Select(run, a, byAttribute: false, wanted: false))),
        Signature.Define("selectattr", "value *", (run, a) => new GeneratorValue(Select(run, a, byAttribute: true, wanted: true))),
        Signature.Define("rejectattr", "value *", (run, a) => new GeneratorValue(Select(run, a, byAttribute: true, wanted: false))),
    ];

    private static IEnumerable<TemplateValue> Map(RenderRun run, Given a)
    {
        if (!a[0].IsTrue)
        {
            yield break;
        }

        var apply = Applied(run, a);
        foreach (var item in Iteration.Of(run, a[0]))
        {
            yield return apply(item);
        }
    }

    private static Func<TemplateValue, TemplateValue> Applied(RenderRun run, Given a)
    {
        if (a.Rest.Count == 0)
        {
            var path = a.Named.FirstOrDefault(n => n.Key == "attribute").Value ?? throw TemplateException.Type("map requires a filter argument");
            var otherwise = a.Named.FirstOrDefault(n => n.Key == "default").Value;
            return item => SequenceFilters.Attribute(run, item, path, otherwise);
        }

        var name = PythonRepr.TextOf(run, a.Rest[0]).Text;
        var filter = Filters.Find(name) ?? throw new TemplateException(TemplateFault.Unsupported, $"No filter named '{name}'.");
        return item => filter.Call(run, new CallArguments([item, .. a.Rest.Skip(1)], a.Named));
    }

    private static IEnumerable<TemplateValue> Select(RenderRun run, Given a, bool byAttribute, bool wanted)
    {
        if (!a[0].IsTrue)
        {
            yield break;
        }

        var skip = byAttribute ? 1 : 0;
        if (a.Rest.Count < skip)
        {
            throw TemplateException.Type("Missing parameter for attribute name");
        }

        var holds = Test(run, a, skip);
        foreach (var item in Iteration.Of(run, a[0]))
        {
            if (holds(byAttribute ? SequenceFilters.Attribute(run, item, a.Rest[0]) : item) == wanted)
            {
                yield return item;
            }
        }
    }

    private static Func<TemplateValue, bool> Test(RenderRun run, Given a, int skip)
    {
        if (a.Rest.Count == skip)
        {
            return item => item.IsTrue;
        }

        var name = PythonRepr.TextOf(run, a.Rest[skip]).Text;
        var test = Tests.Find(name) ?? throw new TemplateException(TemplateFault.Unsupported, $"No test named '{name}'.");
        return item => test.Call(run, new CallArguments([item, .. a.Rest.Skip(skip + 1)], a.Named)).IsTrue;
    }
}
