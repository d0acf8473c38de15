using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>Going through a value's items, each a step.</summary>
internal static class Iteration
{
    /// <summary>The items.</summary>
    /// <exception cref="TemplateException">There is nothing to go through.</exception>
    public static IEnumerable<TemplateValue> Of(RenderRun run, TemplateValue value)
    {
        var items = value.Items(run) ?? throw TemplateException.Type($"'{value.TypeName}' object is not iterable");
        return Counted(run, items);
    }

    /// <summary>All items at once.</summary>
    public static List<TemplateValue> All(RenderRun run, TemplateValue value)
    {
        var all = new List<TemplateValue>();
        foreach (var item in Of(run, value))
        {
            run.MakeItems(1);
            all.Add(item);
        }

        return all;
    }

    private static IEnumerable<TemplateValue> Counted(RenderRun run, IEnumerable<TemplateValue> items)
    {
        foreach (var item in items)
        {
            run.Step();
            yield return item;
        }
    }
}
