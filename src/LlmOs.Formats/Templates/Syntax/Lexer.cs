using System.Globalization;
using System.Text;
using LlmOs.Formats.Templates.Library;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>
/// Source to tokens. Line ends become <c>\n</c>; one at the source's end goes, as do one behind a block and the blanks
/// before a block that begins its line. A minus at a tag's edge takes all white space there, a plus keeps it.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Signs = ["**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;
    private int _counted;

    private Lexer(string source)
    {
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = text.EndsWith('\n') ? text[..^1] : text;
    }

    public static IReadOnlyList<Token> Read(string source)
    {
        var lexer = new Lexer(source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        // Whether what comes next begins a line, or the source.
        var begins = true;
        while (_at < _source.Length)
        {
            var tag = NextTag(_at);
            var text = _source[_at..(tag < 0 ? _source.Length : tag)];
            if (tag < 0)
            {
                AddData(text);
                break;
            }

            var kind = _source[tag + 1];
            var sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : '\0';
            AddData(WithoutTail(text, kind, sign, begins));
            _at = tag + 2 + (sign == '\0' ? 0 : 1);
            begins = kind switch
            {
                '#' => SkipComment(tag),
                '%' when TryReadRaw(tag) is { } rawBegins => rawBegins,
                '%' => ReadTag(TokenKind.BlockBegin, TokenKind.BlockEnd, "%}", tag),
                _ => ReadTag(TokenKind.PrintBegin, TokenKind.PrintEnd, "}}", tag),
            };
        }

        Add(TokenKind.End, "", _source.Length);
    }

    private int NextTag(int from)
    {
        for (var at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>Text before a tag without the white space that the tag takes.</summary>
    private static string WithoutTail(string text, char kind, char sign, bool begins)
    {
        if (sign == '-')
        {
            return text[..PythonText.TrimmedEnd(text)];
        }

        if (sign == '+' || kind == '{')
        {
            return text;
        }

        var start = text.LastIndexOf('\n') + 1;
        return (start > 0 || begins) && PythonText.IsSpace(text.AsSpan(start)) ? text[..start] : text;
    }

    private bool SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Fault("Missing end of comment tag", tag);
        }

        var sign = end > _at ? _source[end - 1] : '\0';
        _at = end + 2;
        return SkipBehind(sign, takesLineEnd: true);
    }

    /// <summary>Reads a <c>raw</c> block, if one begins here; what follows begins a line or not.</summary>
    private bool? TryReadRaw(int tag)
    {
        var at = SkipSpace(_at);
        if (!IsWordAt(at, "raw"))
        {
            return null;
        }

        at = SkipSpace(at + 3);
        if (StartsAt(at, "-%}"))
        {
            at = SkipSpace(at + 3);
        }
        else if (StartsAt(at, "%}"))
        {
            at += 2;
        }
        else
        {
            return null;
        }

        for (var end = _source.IndexOf("{%", at, StringComparison.Ordinal); end >= 0; end = _source.IndexOf("{%", end + 1, StringComparison.Ordinal))
        {
            var sign = end + 2 < _source.Length && _source[end + 2] is '-' or '+' ? _source[end + 2] : '\0';
            var word = SkipSpace(end + (sign == '\0' ? 2 : 3));
            if (!IsWordAt(word, "endraw"))
            {
                continue;
            }

            var close = SkipSpace(word + 6);
            var closing = close < _source.Length && _source[close] is '-' or '+' ? _source[close] : '\0';
            if (!StartsAt(closing == '\0' ? close : close + 1, "%}"))
            {
                continue;
            }

            AddData(WithoutTail(_source[at..end], '%', sign, begins: false));
            _at = close + (closing == '\0' ? 2 : 3);
            return SkipBehind(closing, takesLineEnd: true);
        }

        throw Fault("Missing end of raw directive", tag);
    }

    /// <summary>Reads what stands in a tag; what follows begins a line or not.</summary>
    private bool ReadTag(TokenKind begin, TokenKind end, string close, int tag)
    {
        Add(begin, _source.Substring(tag, 2), tag);
        var open = new OpenBrackets();
        while (true)
        {
            _at = SkipSpace(_at);
            if (_at >= _source.Length)
            {
                throw Fault($"unexpected end of template, expected {close}", tag);
            }

            if (open.AreNone)
            {
                var sign = _source[_at] is '-' || (_source[_at] is '+' && end == TokenKind.BlockEnd) ? _source[_at] : '\0';
                if (StartsAt(sign == '\0' ? _at : _at + 1, close))
                {
                    Add(end, close, _at);
                    _at += sign == '\0' ? 2 : 3;
                    return SkipBehind(sign, takesLineEnd: end == TokenKind.BlockEnd);
                }
            }

            ReadToken(open);
        }
    }

    private void ReadToken(OpenBrackets open)
    {
        var (start, first) = (_at, _source[_at]);
        if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (first is '"' or '\'')
        {
            ReadText(first);
        }
        else if (first == '_' || char.IsLetter(first) || char.IsSurrogate(first))
        {
            while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at]) || char.IsSurrogate(_source[_at])
                || char.GetUnicodeCategory(_source[_at]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
            {
                _at++;
            }

            Add(TokenKind.Name, _source[start.._at], start);
        }
        else
        {
            var sign = Array.Find(Signs, s => StartsAt(start, s)) ?? throw Fault($"unexpected char {PythonRepr.Quote(first.ToString())} at {start}", start);
            if (open.Take(sign) is { } wrong)
            {
                throw Fault(wrong, start);
            }

            Add(TokenKind.Sign, sign, start);
            _at += sign.Length;
        }
    }

    private void ReadNumber()
    {
        var start = _at;
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'o' or 'b')
        {
            _at += 2;
            SkipWhile(c => char.IsAsciiHexDigit(c) || c == '_');
            Add(TokenKind.Integer, _source[start.._at].Replace("_", "", StringComparison.Ordinal), start);
            return;
        }

        SkipWhile(c => char.IsAsciiDigit(c) || c == '_');
        var kind = TokenKind.Integer;

        // A point belongs to the number only when a digit follows and none of another number stands before: a.0.1 is two members.
        if (StartsAt(_at, ".") && _at + 1 < _source.Length && char.IsAsciiDigit(_source[_at + 1]) && (start == 0 || _source[start - 1] != '.'))
        {
            kind = TokenKind.Float;
            _at++;
            SkipWhile(c => char.IsAsciiDigit(c) || c == '_');
        }

        var exponent = _at + 1 < _source.Length && _source[_at] is 'e' or 'E' ? _source[_at + 1] is '+' or '-' ? _at + 2 : _at + 1 : -1;
        if (exponent > 0 && exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
        {
            kind = TokenKind.Float;
            _at = exponent;
            SkipWhile(char.IsAsciiDigit);
        }

        Add(kind, _source[start.._at].Replace("_", "", StringComparison.Ordinal), start);
    }

    private void ReadText(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        while (true)
        {
            if (_at >= _source.Length)
            {
                throw Fault($"unexpected char {PythonRepr.Quote(quote.ToString())} at {start}", start);
            }

            var next = _source[_at++];
            if (next == quote)
            {
                break;
            }

            if (next == '\\' && _at < _source.Length)
            {
                _at = TextEscapes.Undo(_source, _at, text, message => Fault(message, start));
            }
            else
            {
                text.Append(next);
            }
        }

        Add(TokenKind.Text, text.ToString(), start);
    }

    /// <summary>Skips what a tag's end takes; says whether a line begins behind it.</summary>
    private bool SkipBehind(char sign, bool takesLineEnd)
    {
        if (sign == '-')
        {
            _at = SkipSpace(_at);
        }
        else if (takesLineEnd && sign != '+' && StartsAt(_at, "\n"))
        {
            _at++;
        }

        return _source[_at - 1] == '\n';
    }

    private void SkipWhile(Func<char, bool> fits)
    {
        while (_at < _source.Length && fits(_source[_at]))
        {
            _at++;
        }
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at]))
        {
            at++;
        }

        return at;
    }

    private bool StartsAt(int at, string text) => at >= 0 && at <= _source.Length && _source.AsSpan(at).StartsWith(text, StringComparison.Ordinal);

    private bool IsWordAt(int at, string word) =>
        StartsAt(at, word) && (at + word.Length == _source.Length || !(char.IsLetterOrDigit(_source[at + word.Length]) || _source[at + word.Length] == '_'));

    private void AddData(string text)
    {
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text, _at);
        }
    }

    private void Add(TokenKind kind, string text, int at) => _tokens.Add(new Token(kind, text, LineOf(at)));

    /// <summary>Tokens come in order, so lines are counted on from the last.</summary>
    private int LineOf(int at)
    {
        for (; _counted < at && _counted < _source.Length; _counted++)
        {
            _line += _source[_counted] == '\n' ? 1 : 0;
        }

        return _line;
    }

    private TemplateException Fault(string message, int at) => new(TemplateFault.Syntax, message, LineOf(at));
}
