using System.Globalization;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>
/// Reads a regular expression in the syntax of Oniguruma (its Ruby flavour), which tokenizer files are written for.
/// Back references, conditionals and calls are refused: no tokenizer has them.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 64;
    private const int MaxLength = 16_384;

    private readonly string _source;
    private readonly string _component;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotAll;
    private bool _extended;

    private PatternParser(string source, string component) => (_source, _component) = (source, component);

    public static PatternNode Parse(string source, string component)
    {
        if (source.Length > MaxLength)
        {
            throw new TokenizerFormatException($"{component}: the regular expression has more than {MaxLength} characters.");
        }

        var parser = new PatternParser(source, component);
        var node = parser.ReadEither();
        return parser._at == source.Length ? node : throw parser.Error("has a ) too many");
    }

    private bool More => _at < _source.Length;

    private PatternNode ReadEither()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"is nested deeper than {MaxDepth}");
        }

        var flags = (_ignoreCase, _dotAll, _extended);
        var options = new List<PatternNode> { ReadChain() };
        while (More && _source[_at] == '|')
        {
            _at++;
            options.Add(ReadChain());
        }

        (_ignoreCase, _dotAll, _extended) = flags;
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Either(options);
    }

    private PatternNode.Chain ReadChain()
    {
        var parts = new List<PatternNode>();
        while (More && _source[_at] is not ('|' or ')'))
        {
            if (_extended && char.IsWhiteSpace(_source[_at]))
            {
                _at++;
                continue;
            }

            if (_extended && _source[_at] == '#')
            {
                while (More && _source[_at] != '\n')
                {
                    _at++;
                }

                continue;
            }

            if (ReadAtom() is { } atom)
            {
                parts.Add(ReadLoops(atom));
            }
        }

        return new PatternNode.Chain(parts);
    }

    private PatternNode ReadLoops(PatternNode atom)
    {
        while (More)
        {
            var counted = false;
            int least, most;
            switch (_source[_at])
            {
                case '*':
                    (least, most) = (0, -1);
                    _at++;
                    break;
                case '+':
                    (least, most) = (1, -1);
                    _at++;
                    break;
                case '?':
                    (least, most) = (0, 1);
                    _at++;
                    break;
                case '{' when ReadBounds(out least, out most):
                    counted = true;
                    break;
                default:
                    return atom;
            }

            var mode = LoopMode.Greedy;
            if (More && _source[_at] == '?')
            {
                mode = LoopMode.Lazy;
                _at++;
            }
            else if (More && _source[_at] == '+' && !counted)
            {
                // After a counted loop the plus is a loop of its own in this syntax.
                mode = LoopMode.Possessive;
                _at++;
            }

            atom = new PatternNode.Loop(atom, least, most, mode);
            if (++_depth > MaxDepth)
            {
                throw Error("has too many repetitions of repetitions");
            }
        }

        return atom;
    }

    private bool ReadBounds(out int least, out int most)
    {
        (least, most) = (0, -1);
        var close = _source.IndexOf('}', _at);
        var inside = close < 0 ? "" : _source[(_at + 1)..close];
        var parts = inside.Split(',');
        if (inside.Length is 0 or > 16 || parts.Length > 2 || inside == "," || parts.Any(part => part.Any(c => !char.IsAsciiDigit(c))))
        {
            return false; // A brace that is no bound stands for itself.
        }

        least = parts[0].Length == 0 ? 0 : Number(parts[0]);
        most = parts.Length == 1 ? least : parts[1].Length == 0 ? -1 : Number(parts[1]);
        if (most >= 0 && least > most)
        {
            (least, most) = (most, least);
        }

        _at = close + 1;
        return true;

        int Number(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 1000
            ? number
            : throw Error("repeats more than 1000 times");
    }

    private PatternNode? ReadAtom()
    {
        var unit = _source[_at];
        switch (unit)
        {
            case '(':
                return ReadGroup();
            case '[':
                return new PatternNode.One(SetOf(ReadClass()));
            case '.':
                _at++;
                var dotAll = _dotAll;
                return new PatternNode.One(new CodeSet(scalar => dotAll || scalar != '\n'));
            case '^':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineStart);
            case '$':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineEnd);
            case '\\':
                return ReadEscape();
            case '*' or '+' or '?':
                throw Error("repeats nothing");
            default:
                return new PatternNode.One(SetOf(Exactly(ReadScalar())));
        }
    }

    private PatternNode? ReadGroup()
    {
        _at++;
        if (!Take("?"))
        {
            return Close(ReadEither());
        }

        if (Take(":"))
        {
            return Close(ReadEither());
        }

        if (Take(">"))
        {
            return new PatternNode.Atomic(Close(ReadEither()));
        }

        if (Take("="))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: false, Negative: false);
        }

        if (Take("!"))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: false, Negative: true);
        }

        if (Take("<="))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: true, Negative: false);
        }

        if (Take("<!"))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: true, Negative: true);
        }

        if (Take("#"))
        {
            _at = _source.IndexOf(')', _at) is var close and >= 0 ? close + 1 : throw Error("has a comment without end");
            return null;
        }

        if (Take("<") || Take("P<"))
        {
            _at = _source.IndexOf('>', _at) is var end and >= 0 ? end + 1 : throw Error("has a group name without end");
            return Close(ReadEither());
        }

        return ReadFlags();
    }

    private PatternNode? ReadFlags()
    {
        var (on, outside) = (true, (_ignoreCase, _dotAll, _extended));
        while (More)
        {
            var unit = _source[_at++];
            switch (unit)
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    _ignoreCase = on;
                    break;
                case 'm' or 's':
                    _dotAll = on;
                    break;
                case 'x':
                    _extended = on;
                    break;
                case 'u':
                    break;
                case ')':
                    return null; // For the rest of the enclosing group.
                case ':':
                    var body = Close(ReadEither());
                    (_ignoreCase, _dotAll, _extended) = outside;
                    return body;
                default:
                    throw Error($"has the group (?{unit}, which is not supported");
            }
        }

        throw Error("has a group without end");
    }

    private PatternNode Close(PatternNode node) => Take(")") ? node : throw Error("has a group without end");

    private PatternNode ReadEscape()
    {
        if (_at + 1 >= _source.Length)
        {
            throw Error("ends in a backslash");
        }

        AnchorKind? anchor = _source[_at + 1] switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastLine,
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NoWordBoundary,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _at += 2;
            return new PatternNode.Anchor(kind);
        }

        if (_source[_at + 1] is (>= '1' and <= '9') or 'k' or 'g' or 'R' or 'X' or 'G' or 'K')
        {
            throw Error($"has \\{_source[_at + 1]}, which is not supported");
        }

        return new PatternNode.One(SetOf(ReadEscapedSet()));
    }

    // ---- sets ----

    private Func<int, bool> ReadClass()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"is nested deeper than {MaxDepth}");
        }

        _at++;
        var negative = Take("^");
        Func<int, bool>? and = null;
        var members = new List<Func<int, bool>>();
        var first = true;
        while (true)
        {
            if (!More)
            {
                throw Error("has a character class without end");
            }

            if (_source[_at] == ']' && !first)
            {
                _at++;
                break;
            }

            first = false;
            if (Take("&&"))
            {
                and = And(and, Any(members));
                members = [];
                continue;
            }

            members.Add(ReadMember());
        }

        _depth--;
        var holds = And(and, Any(members));
        return negative ? scalar => !holds(scalar) : holds;
    }

    private Func<int, bool> ReadMember()
    {
        if (_source[_at] == '[')
        {
            return Take("[:") ? ReadPosix() : ReadClass();
        }

        if (_source[_at] == '\\' && !IsLiteralEscape())
        {
            return ReadEscapedSet();
        }

        var from = ReadClassScalar();
        if (More && _source[_at] == '-' && _at + 1 < _source.Length && _source[_at + 1] is not (']' or '['))
        {
            var dash = _at++;
            if (_source[_at] == '\\' && !IsLiteralEscape())
            {
                _at = dash; // A dash before a class such as \d stands for itself.
                return Exactly(from);
            }

            var to = ReadClassScalar();
            if (to < from)
            {
                throw Error("has a range that runs backwards");
            }

            return IgnoringCase(scalar => scalar >= from && scalar <= to);
        }

        return Exactly(from);
    }

    private int ReadClassScalar() => _source[_at] == '\\' ? ReadLiteralEscape() : ReadScalar();

    private Func<int, bool> ReadPosix()
    {
        var end = _source.IndexOf(":]", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Error("has a [: without end");
        }

        var name = _source[_at..end];
        _at = end + 2;
        var negative = name.StartsWith('^');
        var holds = UnicodeProperty.Posix(negative ? name[1..] : name) ?? throw Error($"has the class [:{name}:], which is not supported");
        return negative ? scalar => !holds(scalar) : holds;
    }

    private bool IsLiteralEscape() =>
        _at + 1 < _source.Length && _source[_at + 1] is not ('d' or 'D' or 's' or 'S' or 'w' or 'W' or 'p' or 'P' or 'h' or 'H');

    private Func<int, bool> ReadEscapedSet()
    {
        if (IsLiteralEscape())
        {
            return Exactly(ReadLiteralEscape());
        }

        var letter = _source[_at + 1];
        _at += 2;
        if (letter is 'p' or 'P')
        {
            return ReadProperty(letter == 'P');
        }

        Func<int, bool> holds = char.ToLowerInvariant(letter) switch
        {
            'd' => UnicodeProperty.IsDigit,
            's' => UnicodeProperty.IsSpace,
            'w' => UnicodeProperty.IsWord,
            _ => scalar => scalar < 128 && char.IsAsciiHexDigit((char)scalar),
        };
        return char.IsAsciiLetterUpper(letter) ? scalar => !holds(scalar) : holds;
    }

    private Func<int, bool> ReadProperty(bool negative)
    {
        string name;
        if (Take("{"))
        {
            var end = _source.IndexOf('}', _at);
            if (end < 0)
            {
                throw Error("has a \\p{ without end");
            }

            name = _source[_at..end];
            _at = end + 1;
        }
        else
        {
            name = More ? _source[_at++].ToString() : "";
        }

        if (name.StartsWith('^'))
        {
            (negative, name) = (!negative, name[1..]);
        }

        var holds = UnicodeProperty.Named(name) ?? throw Error($"has the property \\p{{{name}}}, which is not supported");
        return negative ? scalar => !holds(scalar) : holds;
    }

    private int ReadLiteralEscape()
    {
        _at++;
        if (!More)
        {
            throw Error("ends in a backslash");
        }

        switch (_source[_at])
        {
            case 'n':
                _at++;
                return '\n';
            case 'r':
                _at++;
                return '\r';
            case 't':
                _at++;
                return '\t';
            case 'f':
                _at++;
                return '\f';
            case 'v':
                _at++;
                return '\v';
            case 'a':
                _at++;
                return '\a';
            case 'e':
                _at++;
                return 0x1B;
            case '0':
                _at++;
                return 0;
            case 'x' or 'u' or 'U':
                var width = _source[_at++] switch { 'x' => 2, 'u' => 4, _ => 8 };
                return ReadHex(width);
            default:
                return ReadScalar();
        }
    }

    private int ReadHex(int width)
    {
        string digits;
        if (Take("{"))
        {
            var end = _source.IndexOf('}', _at);
            digits = end < 0 ? "" : _source[_at..end];
            _at = end < 0 ? _at : end + 1;
        }
        else
        {
            digits = _source.Substring(_at, Math.Min(width, _source.Length - _at));
            _at += digits.Length;
        }

        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar) && scalar is >= 0 and <= 0x10FFFF
            ? scalar
            : throw Error($"has the code point \"{digits}\", which does not exist");
    }

    private int ReadScalar()
    {
        Rune.DecodeFromUtf16(_source.AsSpan(_at), out var rune, out var used);
        _at += used;
        return rune.Value;
    }

    private Func<int, bool> Exactly(int scalar) => IgnoringCase(other => other == scalar);

    private Func<int, bool> IgnoringCase(Func<int, bool> holds) => _ignoreCase
        ? scalar => holds(scalar) || UnicodeProperty.CaseVariants(scalar).Any(holds)
        : holds;

    private static Func<int, bool> Any(List<Func<int, bool>> members)
    {
        var all = members.ToArray();
        return all.Length == 1
            ? all[0]
            : scalar =>
            {
                foreach (var member in all)
                {
                    if (member(scalar))
                    {
                        return true;
                    }
                }

                return false;
            };
    }

    private static Func<int, bool> And(Func<int, bool>? left, Func<int, bool> right) =>
        left is null ? right : scalar => left(scalar) && right(scalar);

    private static CodeSet SetOf(Func<int, bool> holds) => new(holds);

    private bool Take(string text)
    {
        if (string.CompareOrdinal(_source, _at, text, 0, text.Length) != 0)
        {
            return false;
        }

        _at += text.Length;
        return true;
    }

    private TokenizerFormatException Error(string what) =>
        new($"{_component}: the regular expression \"{Vocabulary.Shown(_source)}\" {what} (at character {_at}).");
}
