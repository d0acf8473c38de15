using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Nodes;

/// <summary>An operator between two values; both are worked out.</summary>
internal sealed class Arithmetic(int line, string sign, Expression left, Expression right) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var (a, b) = (left.Evaluate(run, scope), right.Evaluate(run, scope));
        return sign switch
        {
            "+" => PythonOperators.Add(run, a, b),
            "-" => PythonOperators.Subtract(a, b),
            "*" => PythonOperators.Multiply(run, a, b),
            "/" => PythonOperators.Divide(a, b),
            "//" => PythonOperators.FloorDivide(a, b),
            "%" => PythonOperators.Modulo(run, a, b),
            _ => PythonOperators.Power(a, b),
        };
    }
}

/// <summary><c>-a</c> or <c>+a</c></summary>
internal sealed class Signed(int line, bool negative, Expression operand) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var value = operand.Evaluate(run, scope);
        return negative ? PythonOperators.Negate(value) : PythonOperators.Plus(value);
    }
}

internal sealed class Not(int line, Expression operand) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope) => BoolValue.Of(!operand.Evaluate(run, scope).IsTrue);
}

/// <summary><c>and</c> or <c>or</c>: one of the two values, the right one worked out only when it is needed.</summary>
internal sealed class Either(int line, bool isAnd, Expression left, Expression right) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var value = left.Evaluate(run, scope);
        return value.IsTrue == isAnd ? right.Evaluate(run, scope) : value;
    }
}

/// <summary><c>a if condition else b</c></summary>
internal sealed class Choice(int line, Expression condition, Expression then, Expression? otherwise) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope) =>
        condition.Evaluate(run, scope).IsTrue ? then.Evaluate(run, scope)
        : otherwise?.Evaluate(run, scope)
            ?? new UndefinedValue("the inline if-expression evaluated to false and no else section was defined.");
}

/// <summary><c>a ~ b ~ c</c></summary>
internal sealed class Concatenation(int line, IReadOnlyList<Expression> parts) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var output = new TextOutput(run);
        foreach (var part in parts)
        {
            part.Evaluate(run, scope).WriteText(output);
        }

        return output.ToText();
    }
}

/// <summary><c>a &lt; b &lt;= c</c>, also <c>in</c> and <c>not in</c>: true when every neighbouring pair compares so.</summary>
internal sealed class Comparison(int line, Expression first, IReadOnlyList<(string Sign, Expression Operand)> rest) : Expression(line)
{
    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var left = first.Evaluate(run, scope);
        foreach (var (sign, operand) in rest)
        {
            var right = operand.Evaluate(run, scope);
            if (!Holds(run, sign, left, right))
            {
                return BoolValue.False;
            }

            left = right;
        }

        return BoolValue.True;
    }

    public static bool Holds(RenderRun run, string sign, TemplateValue left, TemplateValue right) => sign switch
    {
        "==" => Comparisons.AreEqual(run, left, right),
        "!=" => !Comparisons.AreEqual(run, left, right),
        "in" => Comparisons.Contains(run, right, left),
        "not in" => !Comparisons.Contains(run, right, left),
        _ when left is FloatValue { Value: double.NaN } || right is FloatValue { Value: double.NaN } => false,
        "<" => Comparisons.Order(run, left, right, sign) < 0,
        "<=" => Comparisons.Order(run, left, right, sign) <= 0,
        ">" => Comparisons.Order(run, left, right, sign) > 0,
        _ => Comparisons.Order(run, left, right, sign) >= 0,
    };
}

/// <summary><c>value|name(arguments)</c></summary>
/// <param name="operand">Null for a filter over a block's text.</param>
internal sealed class Filtered(int line, Expression? operand, string name, ArgumentList arguments) : Expression(line)
{
    private readonly FunctionValue? _filter = Filters.Find(name);

    protected override TemplateValue Value(RenderRun run, Scope scope) => Apply(run, scope, operand!.Evaluate(run, scope));

    public Expression? Operand => operand;

    /// <summary>The filters that stand on the left come first.</summary>
    public TemplateValue ApplyAll(RenderRun run, Scope scope, TemplateValue value) =>
        Apply(run, scope, operand is Filtered inner ? inner.ApplyAll(run, scope, value) : value);

    private TemplateValue Apply(RenderRun run, Scope scope, TemplateValue value) => _filter is not null
        ? _filter.Call(run, arguments.Evaluate(run, scope, value))
        : throw new TemplateException(TemplateFault.Unsupported, $"No filter named '{name}'.");
}

/// <summary><c>value is name(arguments)</c></summary>
internal sealed class Tested(int line, Expression operand, string name, ArgumentList arguments, bool negated) : Expression(line)
{
    private readonly FunctionValue? _test = Library.Tests.Find(name);

    protected override TemplateValue Value(RenderRun run, Scope scope)
    {
        var value = operand.Evaluate(run, scope);
        var result = _test is not null
            ? _test.Call(run, arguments.Evaluate(run, scope, value))
            : throw new TemplateException(TemplateFault.Unsupported, $"No test named '{name}'.");
        return BoolValue.Of(result.IsTrue != negated);
    }
}
