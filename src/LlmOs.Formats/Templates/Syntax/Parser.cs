using LlmOs.Formats.Templates.Nodes;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Tokens to statements.</summary>
internal sealed class Parser
{
    /// <summary>Blocks within each other.</summary>
    private const int MaxDepth = 100;

    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private int _depth;
    private int _loops;

    public Parser(IReadOnlyList<Token> tokens)
    {
        _tokens = new TokenStream(tokens);
        _expressions = new ExpressionParser(_tokens);
    }

    /// <summary>Every variable that is read; whole after parsing.</summary>
    public IReadOnlySet<string> Names => _expressions.Names;

    public IReadOnlyList<Statement> ParseTemplate()
    {
        var body = ParseBody();
        return _tokens.Current.Kind == TokenKind.End ? body : throw UnknownTag();
    }

    /// <summary>Statements up to the end, or to a tag with one of the names, which stays.</summary>
    private List<Statement> ParseBody(params ReadOnlySpan<string> ends)
    {
        if (++_depth > MaxDepth)
        {
            throw new TemplateException(TemplateFault.Limit, $"The template has blocks within each other of more than {MaxDepth} levels.", _tokens.Current.Line);
        }

        var body = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.End)
        {
            var token = _tokens.Take();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new Literal(token.Line, token.Text));
                    break;
                case TokenKind.PrintBegin:
                    body.Add(new Print(token.Line, _expressions.ParseTuple()));
                    _tokens.Expect(TokenKind.PrintEnd, "token 'end of print statement'");
                    break;
                default:
                    if (_tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Text))
                    {
                        _depth--;
                        return body;
                    }

                    body.Add(ParseTag());
                    _tokens.Expect(TokenKind.BlockEnd, "token 'end of statement block'");
                    break;
            }
        }

        _depth--;
        return ends.IsEmpty ? body : throw _tokens.Fault($"Unexpected end of template. Expected was one of: {string.Join(", ", ends)}.");
    }

    private Statement ParseTag()
    {
        var line = _tokens.Current.Line;
        if (_tokens.Current.Kind != TokenKind.Name)
        {
            throw _tokens.Fault("tag name expected");
        }

        switch (_tokens.Current.Text)
        {
            case "for":
                return ParseFor();
            case "if":
                return ParseIf();
            case "set":
                return ParseSet();
            case "macro":
                return ParseMacro();
            case "call":
                return ParseCall();
            case "filter":
                _tokens.Take();
                var filters = _expressions.ParseFilters(null, beginsWithName: true);
                return new FilterBlock(line, filters, ParseBlock("endfilter"));
            case "with":
                return ParseWith();
            case "generation":
                _tokens.Take();
                return new Generation(line, OutsideLoops("endgeneration"));
            case "block":
                _tokens.Take();
                var name = _tokens.Expect(TokenKind.Name, "a name").Text;
                var body = OutsideLoops("endblock");
                _tokens.TryName(name);
                return new Block(line, body);
            case "print":
                _tokens.Take();
                var values = new List<Expression> { _expressions.Parse() };
                while (_tokens.TrySign(","))
                {
                    values.Add(_expressions.Parse());
                }

                return new Print(line, values);
            case "break" or "continue" when _loops > 0:
                return new Jump(line, _tokens.Take().Text == "break" ? Flow.Break : Flow.Continue);
            case "break" or "continue":
                throw _tokens.Fault($"'{_tokens.Current.Text}' outside loop");
            case "include" or "import" or "from" or "extends":
                throw new TemplateException(TemplateFault.Unsupported, $"'{_tokens.Current.Text}' is not supported: a chat template stands alone.", line);
            default:
                throw UnknownTag();
        }
    }

    private TemplateException UnknownTag() => _tokens.Fault($"Encountered unknown tag '{_tokens.Current.Text}'.");

    /// <summary>The rest of a tag, the block up to the named end, and that name; the caller takes the tag's end.</summary>
    private List<Statement> ParseBlock(string end)
    {
        _tokens.Expect(TokenKind.BlockEnd, "token 'end of statement block'");
        var body = ParseBody(end);
        _tokens.Take();
        return body;
    }

    /// <summary>The same for a block that is a function of its own: no loop around it can be left from within.</summary>
    private List<Statement> OutsideLoops(string end)
    {
        var loops = _loops;
        _loops = 0;
        var body = ParseBlock(end);
        _loops = loops;
        return body;
    }

    private For ParseFor()
    {
        var line = _tokens.Take().Line;
        var target = ParseTarget(withMembers: false, () => _tokens.IsName("in"));
        _tokens.ExpectName("in");
        var items = _expressions.ParseTuple(allowChoice: false, ends: () => _tokens.IsName("recursive"));
        var condition = _tokens.TryName("if") ? _expressions.Parse() : null;
        var recursive = _tokens.TryName("recursive");
        _tokens.Expect(TokenKind.BlockEnd, "token 'end of statement block'");
        _loops++;
        var body = ParseBody("endfor", "else");
        _loops--;
        IReadOnlyList<Statement> otherwise = _tokens.Take().Text == "else" ? ParseBlock("endfor") : [];
        return new For(line, target, items, condition, recursive, body, otherwise);
    }

    private If ParseIf()
    {
        var line = _tokens.Current.Line;
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        while (true)
        {
            var word = _tokens.Take().Text;
            if (word == "endif")
            {
                return new If(line, branches, []);
            }

            if (word == "else")
            {
                return new If(line, branches, ParseBlock("endif"));
            }

            var condition = _expressions.ParseTuple(allowChoice: false);
            _tokens.Expect(TokenKind.BlockEnd, "token 'end of statement block'");
            branches.Add((condition, ParseBody("elif", "else", "endif")));
        }
    }

    private Statement ParseSet()
    {
        var line = _tokens.Take().Line;
        var target = ParseTarget(withMembers: true, () => _tokens.IsSign("="));
        if (_tokens.TrySign("="))
        {
            return new Assign(line, target, _expressions.ParseTuple());
        }

        var filters = _tokens.IsSign("|") ? _expressions.ParseFilters(null) : null;
        return new AssignBlock(line, target, filters, ParseBlock("endset"));
    }

    private DefineMacro ParseMacro()
    {
        var line = _tokens.Take().Line;
        var name = _tokens.Expect(TokenKind.Name, "token 'name'").Text;
        return new DefineMacro(line, ParseMacroBody(line, name, ParseParameters(), "endmacro"));
    }

    private CallBlock ParseCall()
    {
        var line = _tokens.Take().Line;
        IReadOnlyList<Parameter> parameters = _tokens.IsSign("(") ? ParseParameters() : [];
        if (_tokens.Current.Kind != TokenKind.Name)
        {
            throw _tokens.Fault("expected call");
        }

        var callee = _expressions.Parse();
        if (callee is not Nodes.Call call)
        {
            throw _tokens.Fault("expected call", line);
        }

        return new CallBlock(line, call.Function, call.Arguments, ParseMacroBody(line, null, parameters, "endcall"));
    }

    private MacroBody ParseMacroBody(int line, string? name, IReadOnlyList<Parameter> parameters, string end)
    {
        var (positional, named) = (_expressions.ReadsOf("varargs"), _expressions.ReadsOf("kwargs"));
        var body = OutsideLoops(end);
        return new MacroBody(line, name, parameters, _expressions.ReadsOf("varargs") > positional, _expressions.ReadsOf("kwargs") > named, body);
    }

    private List<Parameter> ParseParameters()
    {
        _tokens.ExpectSign("(");
        var parameters = new List<Parameter>();
        while (!_tokens.IsSign(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectSign(",");
            }

            var name = _tokens.Expect(TokenKind.Name, "token 'name'").Text;
            var otherwise = _tokens.TrySign("=") ? _expressions.Parse() : null;
            if (otherwise is null && parameters.Count > 0 && parameters[^1].Default is not null)
            {
                throw _tokens.Fault("non-default argument follows default argument");
            }

            parameters.Add(new Parameter(name, otherwise));
        }

        _tokens.ExpectSign(")");
        return parameters;
    }

    private With ParseWith()
    {
        var line = _tokens.Take().Line;
        var names = new List<(Target, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (names.Count > 0)
            {
                _tokens.ExpectSign(",");
            }

            var target = ParseSingleTarget(withMembers: false, 0);
            _tokens.ExpectSign("=");
            names.Add((target, _expressions.Parse()));
        }

        return new With(line, names, ParseBlock("endwith"));
    }

    private Target ParseTarget(bool withMembers, Func<bool> ends)
    {
        var parts = new List<Target> { ParseSingleTarget(withMembers, 0) };
        var isTuple = false;
        while (_tokens.TrySign(","))
        {
            isTuple = true;
            if (ends())
            {
                break;
            }

            parts.Add(ParseSingleTarget(withMembers, 0));
        }

        return isTuple ? new TupleTarget(parts) : parts[0];
    }

    private Target ParseSingleTarget(bool withMembers, int depth)
    {
        if (_tokens.TrySign("("))
        {
            if (depth > MaxDepth)
            {
                throw new TemplateException(TemplateFault.Limit, $"The template unpacks more than {MaxDepth} levels at once.", _tokens.Current.Line);
            }

            var parts = new List<Target>();
            var isTuple = false;
            while (!_tokens.IsSign(")"))
            {
                parts.Add(ParseSingleTarget(withMembers, depth + 1));
                if (!_tokens.TrySign(","))
                {
                    break;
                }

                isTuple = true;
            }

            _tokens.ExpectSign(")");
            return isTuple || parts.Count != 1 ? new TupleTarget(parts) : parts[0];
        }

        var token = _tokens.Expect(TokenKind.Name, "token 'name'");
        if (token.Text is "true" or "false" or "none" or "True" or "False" or "None" or "loop" && !withMembers)
        {
            throw _tokens.Fault($"can't assign to '{token.Text}'", token.Line);
        }

        return withMembers && _tokens.TrySign(".")
            ? new MemberTarget(token.Text, _tokens.Expect(TokenKind.Name, "token 'name'").Text)
            : new NameTarget(token.Text);
    }
}
