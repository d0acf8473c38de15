using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Nodes;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression(int line)
{
    public int Line => line;

    public TemplateValue Evaluate(RenderRun run, Scope scope)
    {
        run.Enter(line);
        var value = Value(run, scope);
        run.Leave();
        return value;
    }

    protected abstract TemplateValue Value(RenderRun run, Scope scope);
}

internal sealed class Constant(int line, TemplateValue value) : Expression(line)
{
    public TemplateValue Held => value;

    protected override TemplateValue Value(RenderRun run, Scope scope) => value;
}

internal sealed class Name(int line, string name) : Expression(line)
{
    public string Word => name;

    protected override TemplateValue Value(RenderRun run, Scope scope) => scope.Find(name);
}

/// <summary><c>[a, b]</c> or <c>(a, b)</c></summary>
internal sealed class ListDisplay(int line, IReadOnlyList<Expression> items, bool isTuple) : Expression(line)
{
    public IReadOnlyList<Expression> Items => items;

    public bool IsTuple => isTuple;

    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        run.MakeItems(items.Count);
        var values = new TemplateValue[items.Count];
        for (var at = 0; at < values.Length; at++)
        {
            values[at] = items[at].Evaluate(run, scope);
        }

        return new ListValue(values, isTuple);
    }
}

/// <summary><c>{a: b}</c></summary>
internal sealed class MapDisplay(int line, IReadOnlyList<KeyValuePair<Expression, Expression>> entries) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        run.MakeItems(2 * entries.Count);
        var values = new List<KeyValuePair<TemplateValue, TemplateValue>>(entries.Count);
        foreach (var (key, value) in entries)
        {
            values.Add(new(key.Evaluate(run, scope), value.Evaluate(run, scope)));
        }

        return new MapValue(values);
    }
}

/// <summary><c>owner.name</c></summary>
internal sealed class Attribute(int line, Expression owner, string name) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope) => Members.Attribute(owner.Evaluate(run, scope), name);
}

/// <summary><c>owner[key]</c></summary>
internal sealed class Subscript(int line, Expression owner, Expression key) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope) => Members.Item(run, owner.Evaluate(run, scope), key.Evaluate(run, scope));
}

/// <summary><c>owner[start:stop:step]</c></summary>
internal sealed class Slice(int line, Expression owner, Expression? start, Expression? stop, Expression? step) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope) => Members.Slice(
        run, owner.Evaluate(run, scope), start?.Evaluate(run, scope), stop?.Evaluate(run, scope), step?.Evaluate(run, scope));
}

/// <summary><c>function(a, b, name=c, *more, **others)</c></summary>
internal sealed class Call(int line, Expression function, ArgumentList arguments) : Expression(line)
{
    public Expression Function => function;

    public ArgumentList Arguments => arguments;

    protected override TemplateValue Value(RenderRun run, Scope scope) => CallValue(run, function.Evaluate(run, scope), arguments.Evaluate(run, scope));

    public static TemplateValue CallValue(RenderRun run, TemplateValue function, CallArguments arguments) => function switch
    {
        FunctionValue known => known.Call(run, arguments),
        LoopValue loop => loop.Call(arguments),
        UndefinedValue undefined => throw undefined.Fault(),
        _ => throw TemplateException.Type($"'{function.TypeName}' object is not callable"),
    };
}

/// <summary>What stands between a call's brackets.</summary>
internal sealed record ArgumentList(
    IReadOnlyList<Expression> Positional, IReadOnlyList<KeyValuePair<string, Expression>> Named, Expression? MorePositional, Expression? MoreNamed)
{
    public static ArgumentList None { get; } = new([], [], null, null);

    /// <param name="first">The value that a filter or test is applied to.</param>
    public CallArguments Evaluate(RenderRun run, Scope scope, TemplateValue? first = null)
    {
        var positional = new List<TemplateValue>(Positional.Count + 1);
        if (first is not null)
        {
            positional.Add(first);
        }

        foreach (var argument in Positional)
        {
            positional.Add(argument.Evaluate(run, scope));
        }

        if (MorePositional?.Evaluate(run, scope) is { } more)
        {
            foreach (var argument in Iteration.Of(run, more))
            {
                run.MakeItems(1);
                positional.Add(argument);
            }
        }

        var named = new List<KeyValuePair<string, TemplateValue>>(Named.Count);
        foreach (var (name, argument) in Named)
        {
            named.Add(new(name, argument.Evaluate(run, scope)));
        }

        if (MoreNamed?.Evaluate(run, scope) is { } others)
        {
            var map = others as MapValue ?? throw TemplateException.Type($"argument after ** must be a mapping, not {others.TypeName}");
            named.AddRange(map.Entries.Select(e => new KeyValuePair<string, TemplateValue>(
                (e.Key as TextValue ?? throw TemplateException.Type("keywords must be strings")).Text, e.Value)));
        }

        return new CallArguments(positional, named);
    }
}
