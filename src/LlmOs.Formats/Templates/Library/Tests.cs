using System.Numerics;
using LlmOs.Formats.Templates.Nodes;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>What may stand behind <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, FunctionValue> Known = Make();

    public static FunctionValue? Find(string name) => Known.GetValueOrDefault(name);

    private static Dictionary<string, FunctionValue> Make()
    {
        var known = new Dictionary<string, FunctionValue>(StringComparer.Ordinal);

        Of("defined", v => v is not UndefinedValue);
        Of("undefined", v => v is UndefinedValue);
        Of("none", v => v is NoneValue);
        Of("boolean", v => v is BoolValue);
        Of("true", v => ReferenceEquals(v, BoolValue.True));
        Of("false", v => ReferenceEquals(v, BoolValue.False));
        Of("integer", v => v is IntValue);
        Of("float", v => v is FloatValue);
        Of("number", v => v is IntValue or FloatValue or BoolValue);
        Of("string", v => v is TextValue);
        Of("mapping", v => v is MapValue);
        Of("sequence", v => v is TextValue or ListValue or MapValue or RangeValue or UndefinedValue);
        Of("callable", v => v is FunctionValue or LoopValue);
        Of("escaped", v => v is TextValue { IsMarkup: true });
        Add("iterable", "value", (run, a) => a[0] is not NoneValue && a[0].Items(run) is not null);
        Add("lower", "value", (run, a) => Casing.IsAllLower(PythonRepr.TextOf(run, a[0]).Text));
        Add("upper", "value", (run, a) => Casing.IsAllUpper(PythonRepr.TextOf(run, a[0]).Text));
        Add("odd", "value", (run, a) => Rest(run, a[0], IntValue.Of(2)) == 1);
        Add("even", "value", (run, a) => Rest(run, a[0], IntValue.Of(2)) == 0);
        Add("divisibleby", "value num", (run, a) => Rest(run, a[0], a[1]) == 0);
        Add("sameas", "value other", (_, a) => ReferenceEquals(a[0], a[1]) || (a[0] is NoneValue && a[1] is NoneValue));
        Add("in", "value seq", (run, a) => Comparisons.Contains(run, a[1], a[0]));
        Add("filter", "value", (run, a) => Filters.Find(PythonRepr.TextOf(run, a[0]).Text) is not null);
        Add("test", "value", (run, a) => Find(PythonRepr.TextOf(run, a[0]).Text) is not null);
        Compare("==", "eq", "equalto", "==");
        Compare("!=", "ne", "!=");
        Compare("<", "lt", "lessthan", "<");
        Compare("<=", "le", "<=");
        Compare(">", "gt", "greaterthan", ">");
        Compare(">=", "ge", ">=");
        return known;

        void Of(string name, Func<TemplateValue, bool> holds) => Add(name, "value", (_, a) => holds(a[0]));

        void Compare(string sign, params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                Add(name, "value other", (run, a) => Comparison.Holds(run, sign, a[0], a[1]));
            }
        }

        void Add(string name, string parameters, Func<RenderRun, Given, bool> holds) =>
            known.Add(name, Signature.Define(name, parameters, (run, a) => BoolValue.Of(holds(run, a))));
    }

    private static BigInteger? Rest(RenderRun run, TemplateValue value, TemplateValue by) => PythonOperators.Modulo(run, value, by) switch
    {
        IntValue rest => rest.Value,
        FloatValue rest when rest.Value == Math.Floor(rest.Value) => new BigInteger(rest.Value),
        _ => null,
    };
}
