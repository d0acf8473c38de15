using System.Numerics;
using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>Python's arithmetic on template values, bounded.</summary>
internal static class PythonOperators
{
    public static TemplateValue Add(RenderRun run, TemplateValue left, TemplateValue right)
    {
        switch (left, right)
        {
            case (TextValue a, TextValue b):
                return Join(run, a, b);
            case (ListValue a, ListValue b) when a.IsTuple == b.IsTuple:
                run.MakeItems(a.List.Count + (long)b.List.Count);
                return new ListValue([.. a.List, .. b.List], a.IsTuple);
            case (TextValue, not UndefinedValue):
                throw TemplateException.Type($"can only concatenate str (not \"{right.TypeName}\") to str");
            case (ListValue a, not UndefinedValue):
                throw TemplateException.Type($"can only concatenate {a.TypeName} (not \"{right.TypeName}\") to {a.TypeName}");
        }

        return Arithmetic("+", left, right, (a, b) => a + b, (a, b) => a + b);
    }

    public static TemplateValue Subtract(TemplateValue left, TemplateValue right) => Arithmetic("-", left, right, (a, b) => a - b, (a, b) => a - b);

    public static TemplateValue Multiply(RenderRun run, TemplateValue left, TemplateValue right)
    {
        switch (left, right)
        {
            case (TextValue text, IntValue or BoolValue):
                return Repeat(run, text, Whole(right)!.Value);
            case (IntValue or BoolValue, TextValue text):
                return Repeat(run, text, Whole(left)!.Value);
            case (ListValue list, IntValue or BoolValue):
                return Repeat(run, list, Whole(right)!.Value);
            case (IntValue or BoolValue, ListValue list):
                return Repeat(run, list, Whole(left)!.Value);
            case (TextValue or ListValue, not UndefinedValue):
                throw TemplateException.Type($"can't multiply sequence by non-int of type '{right.TypeName}'");
        }

        return Arithmetic("*", left, right, (a, b) => a * b, (a, b) => a * b);
    }

    public static TemplateValue Divide(TemplateValue left, TemplateValue right)
    {
        var (a, b) = Numbers("/", left, right);
        return b != 0 ? new FloatValue(a / b) : throw TemplateException.Value(left is FloatValue || right is FloatValue ? "float division by zero" : "division by zero");
    }

    public static TemplateValue FloorDivide(TemplateValue left, TemplateValue right)
    {
        RefuseZero(left, right, right is FloatValue || left is FloatValue ? "float floor division by zero" : "integer division or modulo by zero");
        return Arithmetic("//", left, right, FloorDivide, (a, b) => Math.Floor(a / b));
    }

    public static TemplateValue Modulo(RenderRun run, TemplateValue left, TemplateValue right)
    {
        if (left is TextValue format)
        {
            return PercentFormat.Apply(run, format, right);
        }

        RefuseZero(left, right, right is FloatValue || left is FloatValue ? "float modulo" : "integer modulo by zero");
        return Arithmetic("%", left, right, (a, b) => a - (FloorDivide(a, b) * b), (a, b) => a - (Math.Floor(a / b) * b));
    }

    public static TemplateValue Power(TemplateValue left, TemplateValue right)
    {
        if (Whole(left) is { } a && Whole(right) is { } b && b >= 0)
        {
            if (b > 20_000 && BigInteger.Abs(a) > 1)
            {
                throw new TemplateException(TemplateFault.Limit, "The template raises a number to a power of more than 20000.");
            }

            // The bound on bits is checked before a large power is worked out.
            return BigInteger.Abs(a) <= 1 || a.GetBitLength() * (double)b < 30_000
                ? IntValue.Of(BigInteger.Abs(a) <= 1 ? SmallPower(a, b) : BigInteger.Pow(a, (int)b))
                : throw new TemplateException(TemplateFault.Limit, "The template makes a whole number of more than 14000 bits.");
        }

        var (x, y) = Numbers("** or pow()", left, right);
        return new FloatValue(Math.Pow(x, y));
    }

    public static TemplateValue Negate(TemplateValue value) => value switch
    {
        FloatValue number => new FloatValue(-number.Value),
        UndefinedValue undefined => throw undefined.Fault(),
        _ => Whole(value) is { } whole ? IntValue.Of(-whole) : throw TemplateException.Type($"bad operand type for unary -: '{value.TypeName}'"),
    };

    public static TemplateValue Plus(TemplateValue value) => value switch
    {
        FloatValue => value,
        UndefinedValue undefined => throw undefined.Fault(),
        _ => Whole(value) is { } whole ? IntValue.Of(whole) : throw TemplateException.Type($"bad operand type for unary +: '{value.TypeName}'"),
    };

    /// <summary>A whole number or a truth value as the number that it is to Python; null for all else.</summary>
    public static BigInteger? Whole(TemplateValue value) => value switch
    {
        IntValue number => number.Value,
        BoolValue flag => flag.IsTrue ? 1 : 0,
        _ => null,
    };

    /// <summary>Any number; null for what is none.</summary>
    public static double? Number(TemplateValue value) => value is FloatValue number ? number.Value : Whole(value) is { } whole ? (double)whole : null;

    /// <summary>Two texts one after the other; what is added to marked-up text is escaped.</summary>
    public static TextValue Join(RenderRun run, TextValue left, TextValue right)
    {
        if (left.IsMarkup != right.IsMarkup)
        {
            (left, right) = (left.IsMarkup ? left : HtmlText.Escape(run, left), right.IsMarkup ? right : HtmlText.Escape(run, right));
        }

        if (left.Text.Length == 0 || right.Text.Length == 0)
        {
            return left.Text.Length == 0 ? right : left;
        }

        run.Make(left.Text.Length + (long)right.Text.Length);
        var text = string.Concat(left.Text, right.Text);
        if (!left.HasUser && !right.HasUser)
        {
            return TextValue.Of(text, [], left.IsMarkup);
        }

        var spans = new List<TextSpan>(left.UserSpans.Length + right.UserSpans.Length);
        spans.AddRange(left.UserSpans);
        foreach (var span in right.UserSpans)
        {
            var moved = new TextSpan(span.Start + left.Text.Length, span.Length);
            if (spans.Count > 0 && spans[^1].End == moved.Start)
            {
                spans[^1] = new TextSpan(spans[^1].Start, spans[^1].Length + moved.Length);
            }
            else
            {
                spans.Add(moved);
            }
        }

        return TextValue.Of(text, spans, left.IsMarkup);
    }

    private static TextValue Repeat(RenderRun run, TextValue text, BigInteger times)
    {
        if (times <= 0 || text.Text.Length == 0)
        {
            return TextValue.Empty;
        }

        run.Make((long)BigInteger.Min(times * text.Text.Length, long.MaxValue / 2));
        var output = new TextOutput(run);
        for (var turn = 0; turn < (int)times; turn++)
        {
            output.Append(text);
        }

        return output.ToText(text.IsMarkup);
    }

    private static ListValue Repeat(RenderRun run, ListValue list, BigInteger times)
    {
        if (times <= 0 || list.List.Count == 0)
        {
            return new ListValue([], list.IsTuple);
        }

        run.MakeItems((long)BigInteger.Min(times * list.List.Count, long.MaxValue / 64));
        var items = new List<TemplateValue>(list.List.Count * (int)times);
        for (var turn = 0; turn < (int)times; turn++)
        {
            items.AddRange(list.List);
        }

        return new ListValue(items, list.IsTuple);
    }

    private static TemplateValue Arithmetic(
        string sign, TemplateValue left, TemplateValue right, Func<BigInteger, BigInteger, BigInteger> whole, Func<double, double, double> real)
    {
        if (Whole(left) is { } a && Whole(right) is { } b)
        {
            return IntValue.Of(whole(a, b));
        }

        var (x, y) = Numbers(sign, left, right);
        return new FloatValue(real(x, y));
    }

    private static (double Left, double Right) Numbers(string sign, TemplateValue left, TemplateValue right)
    {
        if ((left as UndefinedValue ?? right as UndefinedValue) is { } undefined)
        {
            throw undefined.Fault();
        }

        return Number(left) is { } a && Number(right) is { } b
            ? (a, b)
            : throw TemplateException.Type($"unsupported operand type(s) for {sign}: '{left.TypeName}' and '{right.TypeName}'");
    }

    private static void RefuseZero(TemplateValue left, TemplateValue right, string message)
    {
        if (Number(left) is not null && Number(right) == 0)
        {
            throw TemplateException.Value(message);
        }
    }

    private static BigInteger FloorDivide(BigInteger a, BigInteger b)
    {
        var quotient = BigInteger.DivRem(a, b, out var rest);
        return !rest.IsZero && rest.Sign != b.Sign ? quotient - 1 : quotient;
    }

    private static BigInteger SmallPower(BigInteger a, BigInteger b) => b.IsZero ? 1 : a.Sign >= 0 ? a : b.IsEven ? 1 : -1;
}
