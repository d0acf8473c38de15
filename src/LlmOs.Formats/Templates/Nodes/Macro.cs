using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Nodes;

/// <summary>A macro's parameter.</summary>
/// <param name="Default">Worked out at each call that needs it.</param>
internal sealed record Parameter(string Name, Expression? Default);

/// <summary>A body with parameters, whose text is its value.</summary>
/// <param name="Name">Null for the body of a <c>call</c> block.</param>
internal sealed record MacroBody(int Line, string? Name, IReadOnlyList<Parameter> Parameters, bool UsesMorePositional, bool UsesMoreNamed, IReadOnlyList<Statement> Body)
{
    private const string Caller = "caller";

    /// <summary>The function, which sees the names around it as they are when it is called.</summary>
    public FunctionValue Bind(Scope scope) => new(Name ?? Caller, (run, arguments) => Call(run, scope, arguments), isMacro: true);

    private TextValue Call(RenderRun run, Scope around, CallArguments arguments)
    {
        run.Enter(Line);
        var scope = new Scope(around);
        GiveArguments(run, scope, arguments);
        var output = new TextOutput(run);
        Statement.ExecuteAll(Body, run, scope, output);
        run.Leave();
        return output.ToText();
    }

    private void GiveArguments(RenderRun run, Scope scope, CallArguments arguments)
    {
        var named = new Dictionary<string, TemplateValue>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.Named)
        {
            named[name] = value;
        }

        // A caller is given by name; a macro called without one sees it as undefined.
        if (Name is not null && Parameters.All(p => p.Name != Caller))
        {
            scope.Set(Caller, named.Remove(Caller, out var caller) ? caller : new UndefinedValue("No caller defined"));
        }

        for (var at = 0; at < Parameters.Count; at++)
        {
            var (name, otherwise) = Parameters[at];
            var given = named.Remove(name, out var byName) ? byName : null;
            if (at < arguments.Positional.Count)
            {
                given = given is null
                    ? arguments.Positional[at]
                    : throw TemplateException.Type($"macro {Shown} got multiple values for argument '{name}'");
            }

            scope.Set(name, given ?? otherwise?.Evaluate(run, scope) ?? new UndefinedValue($"parameter '{name}' was not provided"));
        }

        if (UsesMorePositional)
        {
            scope.Set("varargs", new ListValue([.. arguments.Positional.Skip(Parameters.Count)], isTuple: true));
        }
        else if (arguments.Positional.Count > Parameters.Count)
        {
            throw TemplateException.Type($"macro {Shown} takes not more than {Parameters.Count} argument(s)");
        }

        if (UsesMoreNamed)
        {
            scope.Set("kwargs", new MapValue(named.Select(n => new KeyValuePair<TemplateValue, TemplateValue>(TextValue.Of(n.Key), n.Value))));
        }
        else if (named.Count > 0)
        {
            throw TemplateException.Type($"macro {Shown} takes no keyword argument '{named.Keys.First()}'");
        }
    }

    private string Shown => Name is null ? "None" : $"'{Name}'";
}

/// <summary><c>macro name(parameters)</c></summary>
internal sealed class DefineMacro(int line, MacroBody macro) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        scope.Set(macro.Name!, macro.Bind(scope));
        return Flow.Next;
    }
}

/// <summary><c>call(parameters) function(arguments)</c>: the block is the function's <c>caller</c>.</summary>
internal sealed class CallBlock(int line, Expression function, ArgumentList arguments, MacroBody caller) : Statement(line)
{
    protected override Flow Do(RenderRun run, Scope scope, TextOutput output)
    {
        var callee = function.Evaluate(run, scope);
        var given = arguments.Evaluate(run, scope);
        var withCaller = given with { Named = [.. given.Named, new("caller", caller.Bind(scope))] };
        Call.CallValue(run, callee, withCaller).WriteText(output);
        return Flow.Next;
    }
}
