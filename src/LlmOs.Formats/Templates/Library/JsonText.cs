using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>How <c>tojson</c> writes.</summary>
/// <param name="Indent">What one level is indented by; null writes one line.</param>
internal sealed record JsonStyle(bool EnsureAscii, string? Indent, string ItemSeparator, string KeySeparator, bool SortKeys);

/// <summary>Values as Python's <c>json.dumps</c> writes them; nothing is escaped for HTML.</summary>
internal static class JsonText
{
    public static TextValue Of(RenderRun run, TemplateValue value, JsonStyle style)
    {
        var output = new TextOutput(run);
        Write(value, style, 0, output);
        return output.ToText();
    }

    private static void Write(TemplateValue value, JsonStyle style, int level, TextOutput output)
    {
        output.Run.Step();
        switch (value)
        {
            case NoneValue:
                output.Append("null");
                break;
            case BoolValue flag:
                output.Append(flag.IsTrue ? "true" : "false");
                break;
            case TextValue text:
                WriteText(text, style, output);
                break;
            case IntValue:
                value.WriteRepr(output);
                break;
            case FloatValue number:
                output.Append(OfFloat(number.Value));
                break;
            case ListValue list:
                WriteItems("[", "]", list.List, style, level, output, (item, inner) => Write(item, style, inner, output));
                break;
            case MapValue map:
                WriteItems("{", "}", style.SortKeys ? Sorted(output.Run, map) : map.Entries, style, level, output, (entry, inner) =>
                {
                    WriteText(Key(output.Run, entry.Key), style, output);
                    output.Append(style.KeySeparator);
                    Write(entry.Value, style, inner, output);
                });
                break;
            default:
                throw TemplateException.Type($"Object of type {value.TypeName} is not JSON serializable");
        }
    }

    private static void WriteItems<T>(
        string open, string close, IReadOnlyList<T> items, JsonStyle style, int level, TextOutput output, Action<T, int> write)
    {
        output.Append(open);
        for (var at = 0; at < items.Count; at++)
        {
            output.Append(at > 0 ? style.ItemSeparator : "");
            NewLine(level + 1);
            write(items[at], level + 1);
        }

        if (items.Count > 0)
        {
            NewLine(level);
        }

        output.Append(close);

        void NewLine(int depth)
        {
            if (style.Indent is not null)
            {
                output.Append("\n");
                for (var turn = 0; turn < depth; turn++)
                {
                    output.Append(style.Indent);
                }
            }
        }
    }

    private static void WriteText(TextValue text, JsonStyle style, TextOutput output)
    {
        output.Append("\"");
        var copied = 0;
        for (var at = 0; at < text.Text.Length; at++)
        {
            if (Escaped(text.Text[at], style.EnsureAscii) is { } escaped)
            {
                output.Append(text, copied, at - copied);
                output.Append(escaped, text.IsUser(at));
                copied = at + 1;
            }
        }

        output.Append(text, copied, text.Text.Length - copied);
        output.Append("\"");
    }

    private static string? Escaped(char c, bool ensureAscii) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\f' => "\\f",
        '\b' => "\\b",
        < ' ' => $"\\u{(int)c:x4}",
        > '~' when ensureAscii => $"\\u{(int)c:x4}",
        _ => null,
    };

    private static TextValue Key(RenderRun run, TemplateValue key) => key switch
    {
        TextValue text => text,
        BoolValue flag => TextValue.Of(flag.IsTrue ? "true" : "false"),
        NoneValue => TextValue.Of("null"),
        FloatValue number => TextValue.Of(OfFloat(number.Value)),
        IntValue => PythonRepr.Of(run, key),
        _ => throw TemplateException.Type($"keys must be str, int, float, bool or None, not {key.TypeName}"),
    };

    private static string OfFloat(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity"
        : PythonRepr.OfFloat(value);

    private static List<KeyValuePair<TemplateValue, TemplateValue>> Sorted(RenderRun run, MapValue map) =>
        Sorting.Stable(run, map.Entries, (a, b) => Comparisons.Order(run, a.Key, b.Key, "<"));
}
