using LlmOs.Formats.Templates.Nodes;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Operands with operators between them; the methods stand in the order of binding, loosest first.</summary>
/// <param name="operand">Reads one operand, signs and filters included.</param>
internal sealed class OperatorParser(TokenStream tokens, Func<Expression> operand)
{
    private static readonly string[] Orderings = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse()
    {
        var left = ParseAnd();
        while (tokens.IsName("or"))
        {
            var line = tokens.Take().Line;
            left = new Either(line, isAnd: false, left, ParseAnd());
        }

        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.IsName("and"))
        {
            var line = tokens.Take().Line;
            left = new Either(line, isAnd: true, left, ParseNot());
        }

        return left;
    }

    private Expression ParseNot()
    {
        var (line, count) = (tokens.Current.Line, 0);
        while (tokens.TryName("not"))
        {
            count++;
        }

        var operand = ParseComparison();
        return count == 0 ? operand : count % 2 == 1 ? new Not(line, operand) : new Not(line, new Not(line, operand));
    }

    private Expression ParseComparison()
    {
        var line = tokens.Current.Line;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Sign && Orderings.Contains(tokens.Current.Text))
            {
                rest.Add((tokens.Take().Text, ParseSum()));
            }
            else if (tokens.TryName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (tokens.IsName("not") && tokens.Following.Is(TokenKind.Name, "in"))
            {
                tokens.Take();
                tokens.Take();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(line, first, rest);
            }
        }
    }

    private Expression ParseSum() => ParseLeftToRight(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        var line = tokens.Current.Line;
        var first = ParseProduct();
        if (!tokens.IsSign("~"))
        {
            return first;
        }

        var parts = new List<Expression> { first };
        while (tokens.TrySign("~"))
        {
            parts.Add(ParseProduct());
        }

        return new Concatenation(line, parts);
    }

    private Expression ParseProduct() => ParseLeftToRight(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseLeftToRight(operand, "**");

    private Expression ParseLeftToRight(Func<Expression> next, params ReadOnlySpan<string> signs)
    {
        var left = next();
        while (tokens.Current.Kind == TokenKind.Sign && signs.Contains(tokens.Current.Text))
        {
            var sign = tokens.Take();
            left = new Arithmetic(sign.Line, sign.Text, left, next());
        }

        return left;
    }
}
