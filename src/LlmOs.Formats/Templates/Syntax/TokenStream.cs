namespace LlmOs.Formats.Templates.Syntax;

/// <summary>The tokens of a template, read from left to right.</summary>
internal sealed class TokenStream(IReadOnlyList<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Take()
    {
        var token = tokens[_at];
        _at = Math.Min(_at + 1, tokens.Count - 1);
        return token;
    }

    public bool IsSign(string sign) => Current.Is(TokenKind.Sign, sign);

    public bool IsName(string name) => Current.Is(TokenKind.Name, name);

    public bool TrySign(string sign) => Try(TokenKind.Sign, sign);

    public bool TryName(string name) => Try(TokenKind.Name, name);

    public Token Expect(TokenKind kind, string shown) => Current.Kind == kind ? Take() : throw Unexpected(shown);

    public void ExpectSign(string sign)
    {
        if (!TrySign(sign))
        {
            throw Unexpected($"token '{sign}'");
        }
    }

    public void ExpectName(string name)
    {
        if (!TryName(name))
        {
            throw Unexpected($"token '{name}'");
        }
    }

    public TemplateException Unexpected(string expected) => Fault(
        Current.Kind == TokenKind.End ? $"unexpected end of template, expected {expected}." : $"expected {expected}, got '{Current.Shown}'");

    public TemplateException Fault(string message, int? line = null) => new(TemplateFault.Syntax, message, line ?? Current.Line);

    private bool Try(TokenKind kind, string text)
    {
        if (!Current.Is(kind, text))
        {
            return false;
        }

        Take();
        return true;
    }
}
