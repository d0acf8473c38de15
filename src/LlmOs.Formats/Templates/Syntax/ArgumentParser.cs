using LlmOs.Formats.Templates.Nodes;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Arguments of a call, a filter or a test.</summary>
/// <param name="expression">Reads one expression.</param>
internal sealed class ArgumentParser(TokenStream tokens, Func<Expression> expression)
{
    /// <summary>What stands between a call's brackets, brackets included.</summary>
    public ArgumentList Parse()
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
                morePositional = morePositional is null && moreNamed is null ? expression() : throw Wrong();
            }
            else if (tokens.TrySign("**"))
            {
                moreNamed = moreNamed is null ? expression() : throw Wrong();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.Is(TokenKind.Sign, "="))
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add(moreNamed is null ? new(name, expression()) : throw Wrong());
            }
            else
            {
                positional.Add(named.Count == 0 && morePositional is null && moreNamed is null ? expression() : throw Wrong());
            }
        }

        tokens.ExpectSign(")");
        return positional.Count + named.Count == 0 && morePositional is null && moreNamed is null
            ? ArgumentList.None
            : new ArgumentList(positional, named, morePositional, moreNamed);

        TemplateException Wrong() => tokens.Fault("invalid syntax for function call expression");
    }
}
