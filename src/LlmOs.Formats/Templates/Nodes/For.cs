using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Nodes;

/// <summary><c>for target in items if condition</c>, perhaps <c>recursive</c>, with an <c>else</c> for no turn at all.</summary>
internal sealed class For(
    int line, Target target, Expression items, Expression? condition, bool recursive, IReadOnlyList<Statement> body, IReadOnlyList<Statement> otherwise)
    : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        Loop(run, scope, items.Evaluate(run, scope), 0, output);
        return Flow.Next;
    }

    private void Loop(RenderRun run, Scope scope, TemplateValue over, int depth, TextOutput output)
    {
        var all = over.Items(run) ?? throw TemplateException.Type($"'{over.TypeName}' object is not iterable");
        var chosen = condition is null ? all : all.Where(item => Fits(run, scope, item));
        var loop = new LoopValue(run, chosen, condition is null ? over.Length : null, depth, recursive ? Again : null);
        var turned = false;
        while (loop.MoveNext())
        {
            turned = true;
            var inner = new Scope(scope);
            inner.Set("loop", loop);
            target.Assign(run, inner, loop.Current);
            if (ExecuteAll(body, run, inner, output) == Flow.Break)
            {
                break;
            }
        }

        if (!turned)
        {
            ExecuteAll(otherwise, run, new Scope(scope), output);
        }

        TemplateValue Again(RenderRun own, CallArguments arguments)
        {
            own.Enter(Line);
            var kept = new TextOutput(own);
            Loop(own, scope, arguments.Positional is [var deeper] ? deeper : throw TemplateException.Type("loop() takes one argument"), depth + 1, kept);
            own.Leave();
            return kept.ToText();
        }
    }

    private bool Fits(RenderRun run, Scope scope, TemplateValue item)
    {
        run.Step();
        var inner = new Scope(scope);
        target.Assign(run, inner, item);
        return condition!.Evaluate(run, inner).IsTrue;
    }
}
