using System.Globalization;

namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>Reads the sets of characters in an expression: classes, escapes, properties.</summary>
/// <param name="maxDepth">Classes within each other, and groups around them.</param>
internal sealed class PatternSets(PatternCursor cursor, int maxDepth)
{
    /// <summary>A class in brackets.</summary>
    public Func<int, bool> ReadClass()
    {
        if (++cursor.Depth > maxDepth)
        {
            throw cursor.Error($"is nested deeper than {maxDepth}");
        }

        cursor.At++;
        var negative = cursor.Take("^");
        Func<int, bool>? and = null;
        var members = new List<Func<int, bool>>();
        var first = true;
        while (true)
        {
            if (!cursor.More)
            {
                throw cursor.Error("has a character class without end");
            }

            if (cursor.Text[cursor.At] == ']' && !first)
            {
                cursor.At++;
                break;
            }

            first = false;
            if (cursor.Take("&&"))
            {
                and = And(and, Any(members));
                members = [];
                continue;
            }

            members.Add(ReadMember());
        }

        cursor.Depth--;
        var holds = And(and, Any(members));
        return negative ? scalar => !holds(scalar) : holds;
    }

    private Func<int, bool> ReadMember()
    {
        if (cursor.Text[cursor.At] == '[')
        {
            return cursor.Take("[:") ? ReadPosix() : ReadClass();
        }

        if (cursor.Text[cursor.At] == '\\' && !IsLiteralEscape())
        {
            return ReadEscapedSet();
        }

        var from = ReadClassScalar();
        if (cursor.More && cursor.Text[cursor.At] == '-' && cursor.At + 1 < cursor.Text.Length && cursor.Text[cursor.At + 1] is not (']' or '['))
        {
            var dash = cursor.At++;
            if (cursor.Text[cursor.At] == '\\' && !IsLiteralEscape())
            {
                cursor.At = dash; // A dash before a class such as \d stands for itself.
                return Exactly(from);
            }

            var to = ReadClassScalar();
            if (to < from)
            {
                throw cursor.Error("has a range that runs backwards");
            }

            return IgnoringCase(scalar => scalar >= from && scalar <= to);
        }

        return Exactly(from);
    }

    private int ReadClassScalar() => cursor.Text[cursor.At] == '\\' ? ReadLiteralEscape() : cursor.ReadScalar();

    private Func<int, bool> ReadPosix()
    {
        var end = cursor.Text.IndexOf(":]", cursor.At, StringComparison.Ordinal);
        if (end < 0)
        {
            throw cursor.Error("has a [: without end");
        }

        var name = cursor.Text[cursor.At..end];
        cursor.At = end + 2;
        var negative = name.StartsWith('^');
        var holds = UnicodeProperty.Posix(negative ? name[1..] : name) ?? throw cursor.Error($"has the class [:{name}:], which is not supported");
        return negative ? scalar => !holds(scalar) : holds;
    }

    private bool IsLiteralEscape() =>
        cursor.At + 1 < cursor.Text.Length && cursor.Text[cursor.At + 1] is not ('d' or 'D' or 's' or 'S' or 'w' or 'W' or 'p' or 'P' or 'h' or 'H');

    /// <summary>What stands behind a backslash.</summary>
    public Func<int, bool> ReadEscapedSet()
    {
        if (IsLiteralEscape())
        {
            return Exactly(ReadLiteralEscape());
        }

        var letter = cursor.Text[cursor.At + 1];
        cursor.At += 2;
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
        if (cursor.Take("{"))
        {
            var end = cursor.Text.IndexOf('}', cursor.At);
            if (end < 0)
            {
                throw cursor.Error("has a \\p{ without end");
            }

            name = cursor.Text[cursor.At..end];
            cursor.At = end + 1;
        }
        else
        {
            name = cursor.More ? cursor.Text[cursor.At++].ToString() : "";
        }

        if (name.StartsWith('^'))
        {
            (negative, name) = (!negative, name[1..]);
        }

        var holds = UnicodeProperty.Named(name) ?? throw cursor.Error($"has the property \\p{{{name}}}, which is not supported");
        return negative ? scalar => !holds(scalar) : holds;
    }

    private int ReadLiteralEscape()
    {
        cursor.At++;
        if (!cursor.More)
        {
            throw cursor.Error("ends in a backslash");
        }

        switch (cursor.Text[cursor.At])
        {
            case 'n':
                cursor.At++;
                return '\n';
            case 'r':
                cursor.At++;
                return '\r';
            case 't':
                cursor.At++;
                return '\t';
            case 'f':
                cursor.At++;
                return '\f';
            case 'v':
                cursor.At++;
                return '\v';
            case 'a':
                cursor.At++;
                return '\a';
            case 'e':
                cursor.At++;
                return 0x1B;
            case '0':
                cursor.At++;
                return 0;
            case 'x' or 'u' or 'U':
                var width = cursor.Text[cursor.At++] switch { 'x' => 2, 'u' => 4, _ => 8 };
                return ReadHex(width);
            default:
                return cursor.ReadScalar();
        }
    }

    private int ReadHex(int width)
    {
        string digits;
        if (cursor.Take("{"))
        {
            var end = cursor.Text.IndexOf('}', cursor.At);
            digits = end < 0 ? "" : cursor.Text[cursor.At..end];
            cursor.At = end < 0 ? cursor.At : end + 1;
        }
        else
        {
            digits = cursor.Text.Substring(cursor.At, Math.Min(width, cursor.Text.Length - cursor.At));
            cursor.At += digits.Length;
        }

        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar) && scalar is >= 0 and <= 0x10FFFF
            ? scalar
            : throw cursor.Error($"has the code point \"{digits}\", which does not exist");
    }

    public Func<int, bool> Exactly(int scalar) => IgnoringCase(other => other == scalar);

    private Func<int, bool> IgnoringCase(Func<int, bool> holds) => cursor.IgnoreCase
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
}
