using System.Globalization;
using System.Numerics;

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

    /// <summary>A name, or several with points between them.</summary>
    public string TakeDottedName()
    {
        var name = Expect(TokenKind.Name, "token 'name'").Text;
        while (TrySign("."))
        {
            name += "." + Expect(TokenKind.Name, "token 'name'").Text;
        }

        return name;
    }

    /// <summary>The value of a whole number as it is spelt: decimal, or 0x, 0o or 0b.</summary>
    public BigInteger WholeNumber(Token token)
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
            throw Fault($"'{text}' is no number", token.Line);
        }

        static int Base(char letter) => char.ToLowerInvariant(letter) switch { 'x' => 16, 'o' => 8, _ => 2 };

        static int Digit(char digit, int numberBase)
        {
            var value = char.IsAsciiDigit(digit) ? digit - '0' : char.ToLowerInvariant(digit) - 'a' + 10;
            return value < numberBase ? value : throw new FormatException();
        }
    }
}
