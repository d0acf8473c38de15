using System.Globalization;
using System.Runtime.CompilerServices;
using LlmOs.Formats.Templates.Nodes;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Tokens to expressions, by recursive descent: choices and tuples, and what operators stand between (<see cref="OperatorParser"/>).</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    /// <summary>Expressions within each other.</summary>
    private const int MaxDepth = 100;

    private readonly Dictionary<string, int> _reads = new(StringComparer.Ordinal);
    private int _depth;
    private OperatorParser? _operators;
    private ArgumentParser? _arguments;

    private ArgumentParser Arguments => _arguments ??= new ArgumentParser(tokens, () => Parse());

    private OperatorParser Operators => _operators ??= new OperatorParser(tokens, () => ParseSigned());

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

        var expression = Operators.Parse();
        while (allowChoice && tokens.IsName("if"))
        {
            var line = tokens.Take().Line;
            var condition = Operators.Parse();
            expression = new Choice(line, condition, expression, tokens.TryName("else") ? Parse() : null);
        }

        _depth--;
        return expression;
    }

    /// <summary>What stands between a call's brackets, brackets included.</summary>
    public ArgumentList ParseArguments() => Arguments.Parse();

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
            var name = tokens.TakeDottedName();
            filtered = new Filtered(line, (Expression?)filtered ?? operand, name, tokens.IsSign("(") ? ParseArguments() : ArgumentList.None);
        }

        return filtered ?? throw tokens.Unexpected("a filter");
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
                return new Constant(token.Line, IntValue.Of(tokens.WholeNumber(token)));
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
            TokenKind.Integer => new Subscript(line, owner, new Constant(line, IntValue.Of(tokens.WholeNumber(member)))),
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
        var name = tokens.TakeDottedName();
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
}
