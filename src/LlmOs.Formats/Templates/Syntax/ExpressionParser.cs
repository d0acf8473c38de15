using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using LlmOs.Formats.Templates.Nodes;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Tokens to expressions, by recursive descent; the methods stand in the order of binding, loosest first.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    /// <summary>Expressions within each other.</summary>
    private const int MaxDepth = 100;

    private static readonly string[] Orderings = ["==", "!=", "<", "<=", ">", ">="];

    private readonly Dictionary<string, int> _reads = new(StringComparer.Ordinal);
    private int _depth;

    /// <summary>Every variable that is read so far.</summary>
    public IReadOnlySet<string> Names => _reads.Keys.ToHashSet(StringComparer.Ordinal);

    /// <summary>How often a variable is read so far.</summary>
    public int ReadsOf(string name) => _reads.GetValueOrDefault(name);

    /// <summary>An expression, or several with commas between them, which are a tuple.</summary>
    /// <param name="allowChoice">Whether <c>if</c> belongs to the expression; in a loop's head it is the loop's.</param>
    public Expression ParseTuple(bool allowChoice = true, bool allowEmpty = false, Func<bool>? ends = null)
    {
        var line = tokens.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!AtEnd())
        {
            items.Add(Parse(allowChoice));
            if (!tokens.TrySign(","))
            {
                break;
            }

            isTuple = true;
        }

        if (!isTuple && items.Count == 1)
        {
            return items[0];
        }

        return isTuple || allowEmpty
            ? new ListDisplay(line, items, isTuple: true)
            : throw tokens.Fault($"Expected an expression, got '{tokens.Current.Shown}'");

        bool AtEnd() => tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.BlockEnd or TokenKind.End || tokens.IsSign(")") || ends?.Invoke() == true;
    }

    public Expression Parse(bool allowChoice = true)
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new TemplateException(TemplateFault.Limit, $"The template has expressions within each other of more than {MaxDepth} levels.", tokens.Current.Line);
        }

        var expression = ParseOr();
        while (allowChoice && tokens.IsName("if"))
        {
            var line = tokens.Take().Line;
            var condition = ParseOr();
            expression = new Choice(line, condition, expression, tokens.TryName("else") ? Parse() : null);
        }

        _depth--;
        return expression;
    }

    /// <summary>What stands between a call's brackets, brackets included.</summary>
    public ArgumentList ParseArguments()
    {
        tokens.ExpectSign("(");
        var positional = new List<Expression>();
        var named = new List<KeyValuePair<string, Expression>>();
        Expression? morePositional = null, moreNamed = null;
        for (var first = true; !tokens.IsSign(")"); first = false)
        {
            if (!first)
            {
                tokens.ExpectSign(",");
                if (tokens.IsSign(")"))
                {
                    break;
                }
            }

            if (tokens.TrySign("*"))
            {
                morePositional = morePositional is null && moreNamed is null ? Parse() : throw Wrong();
            }
            else if (tokens.TrySign("**"))
            {
                moreNamed = moreNamed is null ? Parse() : throw Wrong();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.Is(TokenKind.Sign, "="))
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add(moreNamed is null ? new(name, Parse()) : throw Wrong());
            }
            else
            {
                positional.Add(named.Count == 0 && morePositional is null && moreNamed is null ? Parse() : throw Wrong());
            }
        }

        tokens.ExpectSign(")");
        return positional.Count + named.Count == 0 && morePositional is null && moreNamed is null
            ? ArgumentList.None
            : new ArgumentList(positional, named, morePositional, moreNamed);

        TemplateException Wrong() => tokens.Fault("invalid syntax for function call expression");
    }

    /// <summary>Filters that stand behind each other, each after its <c>|</c>.</summary>
    /// <param name="operand">Null where they are applied to a block.</param>
    public Filtered ParseFilters(Expression? operand, bool beginsWithName = false)
    {
        Filtered? filtered = null;
        while (beginsWithName || tokens.IsSign("|"))
        {
            if (!beginsWithName)
            {
                tokens.Take();
            }

            beginsWithName = false;
            var line = tokens.Current.Line;
            var name = DottedName();
            filtered = new Filtered(line, (Expression?)filtered ?? operand, name, tokens.IsSign("(") ? ParseArguments() : ArgumentList.None);
        }

        return filtered ?? throw tokens.Unexpected("a filter");
    }

    private Expression ParseOr()
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

    private Expression ParsePower() => ParseLeftToRight(() => ParseSigned(), "**");

    private Expression ParseLeftToRight(Func<Expression> operand, params ReadOnlySpan<string> signs)
    {
        var left = operand();
        while (tokens.Current.Kind == TokenKind.Sign && signs.Contains(tokens.Current.Text))
        {
            var sign = tokens.Take();
            left = new Arithmetic(sign.Line, sign.Text, left, operand());
        }

        return left;
    }

    private Expression ParseSigned(bool withFilters = true)
    {
        var line = tokens.Current.Line;
        Expression expression;
        if (tokens.IsSign("-") || tokens.IsSign("+"))
        {
            if (++_depth > MaxDepth)
            {
                throw new TemplateException(TemplateFault.Limit, $"The template has expressions within each other of more than {MaxDepth} levels.", line);
            }

            expression = new Signed(line, tokens.Take().Text == "-", ParseSigned(withFilters: false));
            _depth--;
        }
        else
        {
            expression = ParsePrimary();
        }

        expression = ParsePostfix(expression);
        return withFilters ? ParseFiltersAndTests(expression) : expression;
    }

    private Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Take();
                return token.Text switch
                {
                    "true" or "True" => new Constant(token.Line, BoolValue.True),
                    "false" or "False" => new Constant(token.Line, BoolValue.False),
                    "none" or "None" => new Constant(token.Line, NoneValue.Instance),
                    _ => Variable(token),
                };
            case TokenKind.Text:
                var text = tokens.Take().Text;
                while (tokens.Current.Kind == TokenKind.Text)
                {
                    text += tokens.Take().Text;
                }

                return new Constant(token.Line, TextValue.Of(text));
            case TokenKind.Integer:
                tokens.Take();
                return new Constant(token.Line, IntValue.Of(WholeNumber(token)));
            case TokenKind.Float:
                tokens.Take();
                return new Constant(token.Line, new FloatValue(double.Parse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture)));
            case TokenKind.Sign when token.Text == "(":
                tokens.Take();
                var inner = ParseTuple(allowEmpty: true);
                tokens.ExpectSign(")");
                return inner;
            case TokenKind.Sign when token.Text == "[":
                tokens.Take();
                return new ListDisplay(token.Line, ParseItems("]", () => Parse()), isTuple: false);
            case TokenKind.Sign when token.Text == "{":
                tokens.Take();
                return new MapDisplay(token.Line, ParseItems("}", ParseEntry));
            default:
                throw tokens.Fault($"unexpected '{token.Shown}'");
        }
    }

    private Name Variable(Token token)
    {
        _reads[token.Text] = ReadsOf(token.Text) + 1;
        return new Name(token.Line, token.Text);
    }

    private KeyValuePair<Expression, Expression> ParseEntry()
    {
        var key = Parse();
        tokens.ExpectSign(":");
        return new(key, Parse());
    }

    private List<T> ParseItems<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!tokens.IsSign(close))
        {
            if (items.Count > 0)
            {
                tokens.ExpectSign(",");
                if (tokens.IsSign(close))
                {
                    break;
                }
            }

            items.Add(item());
        }

        tokens.ExpectSign(close);
        return items;
    }

    private Expression ParsePostfix(Expression expression)
    {
        while (true)
        {
            if (tokens.IsSign("."))
            {
                expression = ParseMember(expression);
            }
            else if (tokens.IsSign("["))
            {
                expression = ParseSubscript(expression);
            }
            else if (tokens.IsSign("("))
            {
                expression = new Call(tokens.Current.Line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression ParseMember(Expression owner)
    {
        var line = tokens.Take().Line;
        var member = tokens.Take();
        return member.Kind switch
        {
            TokenKind.Name => new Nodes.Attribute(line, owner, member.Text),
            TokenKind.Integer => new Subscript(line, owner, new Constant(line, IntValue.Of(WholeNumber(member)))),
            _ => throw tokens.Fault("expected name or number", member.Line),
        };
    }

    private Expression ParseSubscript(Expression owner)
    {
        var line = tokens.Take().Line;
        var keys = new List<Expression>();
        while (!tokens.IsSign("]"))
        {
            if (keys.Count > 0)
            {
                tokens.ExpectSign(",");
            }

            var start = tokens.IsSign(":") ? null : Parse();
            if (!tokens.TrySign(":"))
            {
                keys.Add(start!);
                continue;
            }

            var stop = AtBound() ? null : Parse();
            var step = tokens.TrySign(":") && !AtBound() ? Parse() : null;
            tokens.ExpectSign("]");
            return keys.Count == 0 ? new Slice(line, owner, start, stop, step) : throw tokens.Fault("a slice cannot stand beside other keys");
        }

        tokens.ExpectSign("]");
        return keys.Count switch
        {
            0 => throw tokens.Fault("Expected an expression, got ']'"),
            1 => new Subscript(line, owner, keys[0]),
            _ => new Subscript(line, owner, new ListDisplay(line, keys, isTuple: true)),
        };

        bool AtBound() => tokens.IsSign(":") || tokens.IsSign("]") || tokens.IsSign(",");
    }

    private Expression ParseFiltersAndTests(Expression expression)
    {
        while (true)
        {
            if (tokens.IsSign("|"))
            {
                expression = ParseFilters(expression);
            }
            else if (tokens.IsName("is"))
            {
                expression = ParseTest(expression);
            }
            else if (tokens.IsSign("("))
            {
                expression = new Call(tokens.Current.Line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    private Tested ParseTest(Expression operand)
    {
        var line = tokens.Take().Line;
        var negated = tokens.TryName("not");
        var name = DottedName();
        var arguments = ArgumentList.None;
        if (tokens.IsSign("("))
        {
            arguments = ParseArguments();
        }
        else if (tokens.Current.Kind is TokenKind.Name or TokenKind.Text or TokenKind.Integer or TokenKind.Float
            || tokens.IsSign("[") || tokens.IsSign("{"))
        {
            // An argument without brackets: x is divisibleby 3.
            if (tokens.IsName("is"))
            {
                throw tokens.Fault("You cannot chain multiple tests with is");
            }

            if (!(tokens.IsName("else") || tokens.IsName("or") || tokens.IsName("and") || tokens.IsName("if") || tokens.IsName("not") || tokens.IsName("in")))
            {
                arguments = new ArgumentList([ParsePostfix(ParsePrimary())], [], null, null);
            }
        }

        return new Tested(line, operand, name, arguments, negated);
    }

    private string DottedName()
    {
        var name = tokens.Expect(TokenKind.Name, "token 'name'").Text;
        while (tokens.TrySign("."))
        {
            name += "." + tokens.Expect(TokenKind.Name, "token 'name'").Text;
        }

        return name;
    }

    private BigInteger WholeNumber(Token token)
    {
        var text = token.Text;
        if (text.Length > 4_300)
        {
            throw new TemplateException(TemplateFault.Limit, $"A whole number has {text.Length} digits; at most 4300 are accepted.", token.Line);
        }

        try
        {
            return text.Length > 1 && text[0] == '0' && char.IsLetter(text[1])
                ? text[2..].Aggregate(BigInteger.Zero, (sum, digit) => (sum * Base(text[1])) + Digit(digit, Base(text[1])))
                : BigInteger.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (FormatException)
        {
            throw tokens.Fault($"'{text}' is no number", token.Line);
        }

        static int Base(char letter) => char.ToLowerInvariant(letter) switch { 'x' => 16, 'o' => 8, _ => 2 };

        static int Digit(char digit, int numberBase)
        {
            var value = char.IsAsciiDigit(digit) ? digit - '0' : char.ToLowerInvariant(digit) - 'a' + 10;
            return value < numberBase ? value : throw new FormatException();
        }
    }
}
