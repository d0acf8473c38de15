using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Nodes;

/// <summary>Where to go after a statement.</summary>
internal enum Flow
{
    Next,
    Continue,
    Break,
}

/// <summary>A part of a template that writes or sets something.</summary>
internal abstract class Statement(int line)
{
    protected int Line => line;

    public Flow Execute(RenderRun run, Scope scope, TextOutput output)
    {
        run.Enter(line);
        var flow = Do(run, scope, output);
        run.Leave();
        return flow;
    }

    public static Flow ExecuteAll(IReadOnlyList<Statement> body, RenderRun run, Scope scope, TextOutput output)
    {
        foreach (var statement in body)
        {
            if (statement.Execute(run, scope, output) is var flow and not Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    protected abstract Flow Do(RenderRun run, Scope scope, TextOutput output);
}

/// <summary>Text of the template itself.</summary>
internal sealed class Literal(int line, string text) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ value }}</c>, or the values of a <c>print</c> one after the other.</summary>
internal sealed class Print(int line, params IReadOnlyList<Expression> values) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        foreach (var value in values)
        {
            value.Evaluate(run, scope).WriteText(output);
        }

        return Flow.Next;
    }
}

/// <summary><c>if</c>, any number of <c>elif</c>, <c>else</c>.</summary>
internal sealed class If(int line, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> branches, IReadOnlyList<Statement> otherwise) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        foreach (var (condition, body) in branches)
        {
            if (condition.Evaluate(run, scope).IsTrue)
            {
                return ExecuteAll(body, run, scope, output);
            }
        }

        return ExecuteAll(otherwise, run, scope, output);
    }
}

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed class Jump(int line, Flow flow) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output) => flow;
}

/// <summary><c>set target = value</c></summary>
internal sealed class Assign(int line, Target target, Expression value) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        target.Assign(run, scope, value.Evaluate(run, scope));
        return Flow.Next;
    }
}

/// <summary><c>set target</c> over a block, perhaps through filters.</summary>
internal sealed class AssignBlock(int line, Target target, Filtered? filters, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        var kept = new TextOutput(run);
        var inner = new Scope(scope);
        ExecuteAll(body, run, inner, kept);
        TemplateValue text = kept.ToText();
        target.Assign(run, scope, filters?.ApplyAll(run, scope, text) ?? text);
        return Flow.Next;
    }
}

/// <summary><c>filter</c> over a block.</summary>
internal sealed class FilterBlock(int line, Filtered filters, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        var kept = new TextOutput(run);
        ExecuteAll(body, run, new Scope(scope), kept);
        filters.ApplyAll(run, scope, kept.ToText()).WriteText(output);
        return Flow.Next;
    }
}

/// <summary><c>with a = b</c>: names for a block alone.</summary>
internal sealed class With(int line, IReadOnlyList<(Target Target, Expression Value)> names, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in names)
        {
            target.Assign(run, inner, value.Evaluate(run, scope));
        }

        return ExecuteAll(body, run, inner, output);
    }
}

/// <summary><c>block</c>: without templates that extend each other it writes its body where it stands.</summary>
internal sealed class Block(int line, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        ExecuteAll(body, run, new Scope(scope), output);
        return Flow.Next;
    }
}

/// <summary><c>generation</c>: what the assistant said, for those who train on it alone.</summary>
internal sealed class Generation(int line, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        var start = output.Length;
        ExecuteAll(body, run, new Scope(scope), output);
        if (ReferenceEquals(output, run.Output) && output.Length > start)
        {
            run.Generated.Add(new TextSpan(start, output.Length - start));
        }

        return Flow.Next;
    }
}

/// <summary>What a value is given to.</summary>
internal abstract class Target
{
    public abstract void Assign(RenderRun run, Scope scope, TemplateValue value);
}

internal sealed class NameTarget(string name) : Target
{
    public override void Assign(RenderRun run, Scope scope, TemplateValue value) => scope.Set(name, value);
}

/// <summary><c>space.name</c></summary>
internal sealed class MemberTarget(string space, string name) : Target
{
    public override void Assign(RenderRun run, Scope scope, TemplateValue value)
    {
        if (scope.Find(space) is not NamespaceValue found)
        {
            throw new TemplateException(TemplateFault.Type, "cannot assign attribute on non-namespace object");
        }

        found.Set(name, value);
    }
}

/// <summary><c>a, b</c>: one item for each.</summary>
internal sealed class TupleTarget(IReadOnlyList<Target> parts) : Target
{
    public override void Assign(RenderRun run, Scope scope, TemplateValue value)
    {
        var items = new List<TemplateValue>(parts.Count);
        foreach (var item in value.Items(run) ?? throw TemplateException.Type($"cannot unpack non-iterable {value.TypeName} object"))
        {
            if (items.Count == parts.Count)
            {
                throw TemplateException.Value($"too many values to unpack (expected {parts.Count})");
            }

            items.Add(item);
        }

        if (items.Count < parts.Count)
        {
            throw TemplateException.Value($"not enough values to unpack (expected {parts.Count}, got {items.Count})");
        }

        for (var at = 0; at < items.Count; at++)
        {
            parts[at].Assign(run, scope, items[at]);
        }
    }
}
