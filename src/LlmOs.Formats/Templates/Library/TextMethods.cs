using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Methods of texts, as Python's <c>str</c> has them.</summary>
internal static class TextMethods
{
    private static readonly TextValue Blank = TextValue.Of(" ");

    public static readonly Dictionary<string, FunctionValue> Known = Methods.Table(
        Respelling("upper", Casing.Upper),
        Respelling("lower", Casing.Lower),
        Respelling("casefold", Casing.Fold),
        Respelling("title", Casing.Title),
        Respelling("capitalize", Casing.Capitalize),
        Respelling("swapcase", Casing.Swap),
        Signature.Define("strip", "self chars?", (run, a) => Texts.Strip(run, a.Text(0), a.MaybeText(1), start: true, end: true)),
        Signature.Define("lstrip", "self chars?", (run, a) => Texts.Strip(run, a.Text(0), a.MaybeText(1), start: true, end: false)),
        Signature.Define("rstrip", "self chars?", (run, a) => Texts.Strip(run, a.Text(0), a.MaybeText(1), start: false, end: true)),
        Signature.Define("split", "self sep? maxsplit?", (run, a) => new ListValue(Texts.Split(run, a.Text(0), a.MaybeText(1), a.Whole(2, -1)))),
        Signature.Define("rsplit", "self sep? maxsplit?", (run, a) => new ListValue(Texts.SplitLast(run, a.Text(0), a.MaybeText(1), a.Whole(2, -1)))),
        Signature.Define("splitlines", "self keepends?", (run, a) => new ListValue(Texts.Lines(run, a.Text(0), a.Flag(1, false)))),
        Signature.Define("partition", "self sep", (run, a) => Partition(run, a.Text(0), a.Text(1), last: false)),
        Signature.Define("rpartition", "self sep", (run, a) => Partition(run, a.Text(0), a.Text(1), last: true)),
        Signature.Define("replace", "self old new count?", (run, a) => Texts.Replace(run, a.Text(0), a.Text(1), a.Text(2), a.Whole(3, -1))),
        Signature.Define("join", "self iterable", (run, a) => Texts.Join(run, Iteration.Of(run, a[1]).Select(OnlyText), a.Text(0))),
        Signature.Define("startswith", "self prefix start? end?", (run, a) => HasEdge(run, a, atStart: true)),
        Signature.Define("endswith", "self suffix start? end?", (run, a) => HasEdge(run, a, atStart: false)),
        Signature.Define("removeprefix", "self prefix", (_, a) => a.Text(0).Text.StartsWith(a.Text(1).Text, StringComparison.Ordinal)
            ? a.Text(0).Cut(a.Text(1).Text.Length, a.Text(0).Text.Length - a.Text(1).Text.Length)
            : a.Text(0)),
        Signature.Define("removesuffix", "self suffix", (_, a) => a.Text(0).Text.EndsWith(a.Text(1).Text, StringComparison.Ordinal)
            ? a.Text(0).Cut(0, a.Text(0).Text.Length - a.Text(1).Text.Length)
            : a.Text(0)),
        Signature.Define("find", "self sub start? end?", (run, a) => IntValue.Of(Find(run, a, last: false))),
        Signature.Define("rfind", "self sub start? end?", (run, a) => IntValue.Of(Find(run, a, last: true))),
        Signature.Define("index", "self sub start? end?", (run, a) => IntValue.Of(Found(Find(run, a, last: false)))),
        Signature.Define("rindex", "self sub start? end?", (run, a) => IntValue.Of(Found(Find(run, a, last: true)))),
        Signature.Define("count", "self sub start? end?", (run, a) => IntValue.Of(Count(run, Within(run, a, out _), a.Text(1)))),
        Signature.Define("center", "self width fillchar?", (run, a) => Texts.Pad(run, a.Text(0), a.Whole(1, 0), a.MaybeText(2) ?? Blank, left: true, right: true)),
        Signature.Define("ljust", "self width fillchar?", (run, a) => Texts.Pad(run, a.Text(0), a.Whole(1, 0), a.MaybeText(2) ?? Blank, left: false, right: true)),
        Signature.Define("rjust", "self width fillchar?", (run, a) => Texts.Pad(run, a.Text(0), a.Whole(1, 0), a.MaybeText(2) ?? Blank, left: true, right: false)),
        Signature.Define("zfill", "self width", (run, a) => ZeroFill(run, a.Text(0), a.Whole(1, 0))),
        Signature.Define("expandtabs", "self tabsize?", (run, a) => ExpandTabs(run, a.Text(0), a.Whole(1, 8))),
        Signature.Define("format", "self *", (run, a) => BraceFormat.Apply(run, a.Text(0), a.Rest, a.Named)),
        Testing("isspace", text => PythonText.IsSpace(text)),
        Testing("isalpha", text => text.EnumerateRunes().All(Rune.IsLetter)),
        Testing("isalnum", text => text.EnumerateRunes().All(r => Rune.IsLetterOrDigit(r) || Rune.IsNumber(r))),
        Testing("isdigit", text => text.EnumerateRunes().All(Rune.IsDigit)),
        Testing("isdecimal", text => text.EnumerateRunes().All(Rune.IsDigit)),
        Testing("isnumeric", text => text.EnumerateRunes().All(Rune.IsNumber)),
        Signature.Define("isascii", "self", (_, a) => BoolValue.Of(Ascii.IsValid(a.Text(0).Text))),
        Testing("islower", Casing.IsAllLower),
        Testing("isupper", Casing.IsAllUpper),
        Testing("istitle", Casing.IsTitled));

    private static FunctionValue Respelling(string name, Func<string, string> respell) => Signature.Define(name, "self", (run, a) =>
    {
        run.Make(a.Text(0).Text.Length);
        return a.Text(0).Respelt(respell(a.Text(0).Text));
    });

    /// <summary>False for the empty text.</summary>
    private static FunctionValue Testing(string name, Func<string, bool> holds) => Signature.Define(name, "self", (run, a) =>
    {
        run.Scan(a.Text(0).Text.Length);
        return BoolValue.Of(a.Text(0).Text.Length > 0 && holds(a.Text(0).Text));
    });

    private static TextValue OnlyText(TemplateValue item, int at) => item as TextValue
        ?? throw TemplateException.Type($"sequence item {at}: expected str instance, {item.TypeName} found");

    private static ListValue Partition(RenderRun run, TextValue text, TextValue separator, bool last)
    {
        if (separator.Text.Length == 0)
        {
            throw TemplateException.Value("empty separator");
        }

        run.Make(text.Text.Length);
        var at = last ? TextSearch.FindLast(run, text.Text, separator.Text) : TextSearch.Find(run, text.Text, separator.Text, 0);
        var end = at + separator.Text.Length;
        return new ListValue(
            at >= 0 ? [text.Cut(0, at), text.Cut(at, separator.Text.Length), text.Cut(end, text.Text.Length - end)]
            : last ? [TextValue.Empty, TextValue.Empty, text]
            : [text, TextValue.Empty, TextValue.Empty],
            isTuple: true);
    }

    private static BoolValue HasEdge(RenderRun run, Given a, bool atStart)
    {
        var text = Within(run, a, out _).Text;
        IReadOnlyList<TemplateValue> edges = a[1] is ListValue { IsTuple: true } tuple ? tuple.List : [a.Text(1)];
        foreach (var edge in edges)
        {
            var sought = edge as TextValue ?? throw TemplateException.Type($"{(atStart ? "startswith" : "endswith")} first arg must be str or a tuple of str, not {edge.TypeName}");
            run.Scan(sought.Text.Length);
            if (atStart ? text.StartsWith(sought.Text, StringComparison.Ordinal) : text.EndsWith(sought.Text, StringComparison.Ordinal))
            {
                return BoolValue.True;
            }
        }

        return BoolValue.False;
    }

    private static long Find(RenderRun run, Given a, bool last)
    {
        var text = Within(run, a, out var before);
        var at = last ? TextSearch.FindLast(run, text.Text, a.Text(1).Text) : TextSearch.Find(run, text.Text, a.Text(1).Text, 0);
        return at < 0 ? -1 : before + text.CharacterOf(at);
    }

    private static long Found(long at) => at >= 0 ? at : throw TemplateException.Value("substring not found");

    private static long Count(RenderRun run, TextValue text, TextValue sought)
    {
        if (sought.Text.Length == 0)
        {
            return text.Length!.Value + 1;
        }

        var count = 0L;
        for (var at = TextSearch.Find(run, text.Text, sought.Text, 0); at >= 0; at = TextSearch.Find(run, text.Text, sought.Text, at + sought.Text.Length))
        {
            run.Step();
            count++;
        }

        return count;
    }

    /// <summary>The stretch that the arguments <c>start</c> and <c>end</c> mean, and how many characters stand before it.</summary>
    private static TextValue Within(RenderRun run, Given a, out int before)
    {
        before = 0;
        if (a.Maybe(2) is null && a.Maybe(3) is null)
        {
            return a.Text(0);
        }

        var length = a.Text(0).Length!.Value;
        var start = a.Whole(2, 0);
        before = Math.Clamp(start < 0 ? start + length : start, 0, length);
        return (TextValue)Members.Slice(run, a.Text(0), a.Maybe(2), a.Maybe(3), null);
    }

    private static TextValue ZeroFill(RenderRun run, TextValue text, int width)
    {
        var signed = text.Text.Length > 0 && text.Text[0] is '+' or '-';
        var padded = Texts.Pad(run, signed ? text.Cut(1, text.Text.Length - 1) : text, signed ? width - 1 : width, TextValue.Of("0"), left: true, right: false);
        return signed ? PythonOperators.Join(run, text.Cut(0, 1), padded) : padded;
    }

    private static TextValue ExpandTabs(RenderRun run, TextValue text, int size)
    {
        var output = new TextOutput(run);
        var column = 0;
        for (var at = 0; at < text.Text.Length; at++)
        {
            if (text.Text[at] != '\t')
            {
                output.Append(text, at, 1);
                column = text.Text[at] is '\n' or '\r' ? 0 : column + 1;
                continue;
            }

            var blanks = size > 0 ? size - (column % size) : 0;
            run.Make(blanks);
            output.Append(new string(' ', blanks));
            column += blanks;
        }

        return output.ToText(text.IsMarkup);
    }
}
