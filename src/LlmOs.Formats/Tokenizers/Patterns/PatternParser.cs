using System.Globalization;
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

    private readonly PatternCursor _in;
    private readonly PatternSets _sets;
    private bool _dotAll;
    private bool _extended;

    private PatternParser(PatternCursor cursor) => (_in, _sets) = (cursor, new PatternSets(cursor, MaxDepth));

    public static PatternNode Parse(string source, string component)
    {
        if (source.Length > MaxLength)
        {
            throw new TokenizerFormatException($"{component}: the regular expression has more than {MaxLength} characters.");
        }

        var cursor = new PatternCursor(source, component);
        var node = new PatternParser(cursor).ReadEither();
        return cursor.More ? throw cursor.Error("has a ) too many") : node;
    }

    private PatternNode ReadEither()
    {
        if (++_in.Depth > MaxDepth)
        {
            throw _in.Error($"is nested deeper than {MaxDepth}");
        }

        var flags = (_in.IgnoreCase, _dotAll, _extended);
        var options = new List<PatternNode> { ReadChain() };
        while (_in.More && _in.Text[_in.At] == '|')
        {
            _in.At++;
            options.Add(ReadChain());
        }

        (_in.IgnoreCase, _dotAll, _extended) = flags;
        _in.Depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Either(options);
    }

    private PatternNode.Chain ReadChain()
    {
        var parts = new List<PatternNode>();
        while (_in.More && _in.Text[_in.At] is not ('|' or ')'))
        {
            if (_extended && char.IsWhiteSpace(_in.Text[_in.At]))
            {
                _in.At++;
                continue;
            }

            if (_extended && _in.Text[_in.At] == '#')
            {
                while (_in.More && _in.Text[_in.At] != '\n')
                {
                    _in.At++;
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
        while (_in.More)
        {
            var counted = false;
            int min, max;
            switch (_in.Text[_in.At])
            {
                case '*':
                    (min, max) = (0, -1);
                    _in.At++;
                    break;
                case '+':
                    (min, max) = (1, -1);
                    _in.At++;
                    break;
                case '?':
                    (min, max) = (0, 1);
                    _in.At++;
                    break;
                case '{' when ReadBounds(out min, out max):
                    counted = true;
                    break;
                default:
                    return atom;
            }

            var mode = LoopMode.Greedy;
            if (_in.More && _in.Text[_in.At] == '?')
            {
                mode = LoopMode.Lazy;
                _in.At++;
            }
            else if (_in.More && _in.Text[_in.At] == '+' && !counted)
            {
                // After a counted loop the plus is a loop of its own in this syntax.
                mode = LoopMode.Possessive;
                _in.At++;
            }

            atom = new PatternNode.Loop(atom, min, max, mode);
            if (++_in.Depth > MaxDepth)
            {
                throw _in.Error("has too many repetitions of repetitions");
            }
        }

        return atom;
    }

    private bool ReadBounds(out int min, out int max)
    {
        (min, max) = (0, -1);
        var close = _in.Text.IndexOf('}', _in.At);
        var inside = close < 0 ? "" : _in.Text[(_in.At + 1)..close];
        var parts = inside.Split(',');
        if (inside.Length is 0 or > 16 || parts.Length > 2 || inside == "," || parts.Any(part => part.Any(c => !char.IsAsciiDigit(c))))
        {
            return false; // A brace that is no bound stands for itself.
        }

        min = parts[0].Length == 0 ? 0 : Number(parts[0]);
        max = parts.Length == 1 ? min : parts[1].Length == 0 ? -1 : Number(parts[1]);
        if (max >= 0 && min > max)
        {
            (min, max) = (max, min);
        }

        _in.At = close + 1;
        return true;

        int Number(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 1000
            ? number
            : throw _in.Error("repeats more than 1000 times");
    }

    private PatternNode? ReadAtom()
    {
        var unit = _in.Text[_in.At];
        switch (unit)
        {
            case '(':
                return ReadGroup();
            case '[':
                return new PatternNode.One(new CodeSet(_sets.ReadClass()));
            case '.':
                _in.At++;
                var dotAll = _dotAll;
                return new PatternNode.One(new CodeSet(scalar => dotAll || scalar != '\n'));
            case '^':
                _in.At++;
                return new PatternNode.Anchor(AnchorKind.LineStart);
            case '$':
                _in.At++;
                return new PatternNode.Anchor(AnchorKind.LineEnd);
            case '\\':
                return ReadEscape();
            case '*' or '+' or '?':
                throw _in.Error("repeats nothing");
            default:
                return new PatternNode.One(new CodeSet(_sets.Exactly(_in.ReadScalar())));
        }
    }

    private PatternNode? ReadGroup()
    {
        _in.At++;
        if (!_in.Take("?"))
        {
            return Close(ReadEither());
        }

        if (_in.Take(":"))
        {
            return Close(ReadEither());
        }

        if (_in.Take(">"))
        {
            return new PatternNode.Atomic(Close(ReadEither()));
        }

        if (_in.Take("="))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: false, Negative: false);
        }

        if (_in.Take("!"))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: false, Negative: true);
        }

        if (_in.Take("<="))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: true, Negative: false);
        }

        if (_in.Take("<!"))
        {
            return new PatternNode.Look(Close(ReadEither()), Behind: true, Negative: true);
        }

        if (_in.Take("#"))
        {
            _in.At = _in.Text.IndexOf(')', _in.At) is var close and >= 0 ? close + 1 : throw _in.Error("has a comment without end");
            return null;
        }

        if (_in.Take("<") || _in.Take("P<"))
        {
            _in.At = _in.Text.IndexOf('>', _in.At) is var end and >= 0 ? end + 1 : throw _in.Error("has a group name without end");
            return Close(ReadEither());
        }

        return ReadFlags();
    }

    private PatternNode? ReadFlags()
    {
        var (on, outside) = (true, (_in.IgnoreCase, _dotAll, _extended));
        while (_in.More)
        {
            var unit = _in.Text[_in.At++];
            switch (unit)
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    _in.IgnoreCase = on;
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
                    (_in.IgnoreCase, _dotAll, _extended) = outside;
                    return body;
                default:
                    throw _in.Error($"has the group (?{unit}, which is not supported");
            }
        }

        throw _in.Error("has a group without end");
    }

    private PatternNode Close(PatternNode node) => _in.Take(")") ? node : throw _in.Error("has a group without end");

    private PatternNode ReadEscape()
    {
        if (_in.At + 1 >= _in.Text.Length)
        {
            throw _in.Error("ends in a backslash");
        }

        AnchorKind? anchor = _in.Text[_in.At + 1] switch
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
            _in.At += 2;
            return new PatternNode.Anchor(kind);
        }

        if (_in.Text[_in.At + 1] is (>= '1' and <= '9') or 'k' or 'g' or 'R' or 'X' or 'G' or 'K')
        {
            throw _in.Error($"has \\{_in.Text[_in.At + 1]}, which is not supported");
        }

        return new PatternNode.One(new CodeSet(_sets.ReadEscapedSet()));
    }
}
