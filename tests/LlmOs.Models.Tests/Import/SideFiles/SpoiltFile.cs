using System.Text;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.SideFiles;

/// <summary>Forty ways in which a published file comes spoilt: what tools, editors, broken downloads and mistakes make of it.</summary>
internal static partial class SpoiltFile
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("[", 5000)) + string.Concat(Enumerable.Repeat("]", 5000));

    private static readonly (string Way, Func<byte[], byte[]> Spoil)[] Known =
    [
        ("empty", _ => []),
        ("blanks alone", _ => "  \n\t "u8.ToArray()),
        ("its first byte", file => file[..Math.Min(1, file.Length)]),
        ("half of it", file => file[..(file.Length / 2)]),
        ("without its last byte", file => file[..^1]),
        ("with a byte order mark", file => [0xEF, 0xBB, 0xBF, .. file]),
        ("UTF-16 with a mark", file => [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Text(file))]),
        ("UTF-16 without a mark", file => Encoding.Unicode.GetBytes(Text(file))),
        ("UTF-16, the other order", file => [.. Encoding.BigEndianUnicode.GetPreamble(), .. Encoding.BigEndianUnicode.GetBytes(Text(file))]),
        ("UTF-32", file => Encoding.UTF32.GetBytes(Text(file))),
        ("a letter in Latin-1", file => [.. file[..(file.Length / 2)], 0xE9, .. file[(file.Length / 2)..]]),
        ("NUL bytes", file => new byte[file.Length]),
        ("twice", file => [.. file, .. file]),
        ("Windows' line ends", file => Encoding.UTF8.GetBytes(Text(file).Replace("\n", "\r\n", StringComparison.Ordinal))),
        ("a Git LFS pointer", _ => "version https://git-lfs.github.com/spec/v1\noid sha256:1f2e\nsize 4711\n"u8.ToArray()),
        ("an error page", _ => "<!DOCTYPE html><html><body>404 Not Found</body></html>"u8.ToArray()),
        ("null", _ => "null"u8.ToArray()),
        ("a number", _ => "7"u8.ToArray()),
        ("a text", _ => "\"model\""u8.ToArray()),
        ("an empty object", _ => "{}"u8.ToArray()),
        ("an empty list", _ => "[]"u8.ToArray()),
        ("nested deeply", _ => Encoding.UTF8.GetBytes(Deep)),
        ("a deep value", file => First(file, $"\"x\":{Deep}")),
        ("infinity", file => First(file, "\"x\":Infinity")),
        ("no number", file => First(file, "\"x\":[NaN,-Infinity]")),
        ("half a character", file => First(file, "\"x\":\"\\ud83d\"")),
        ("half a character as a name", file => First(file, "\"\\udc00\":1")),
        ("a key twice", file => First(file, "\"x\":1,\"x\":2")),
        ("a comment", file => First(file, "/* by hand */\"x\":1")),
        ("a comma too many", file => Encoding.UTF8.GetBytes(Text(file).Replace("}", ",}", StringComparison.Ordinal))),
        ("texts as numbers", file => Values(file, QuotedValue(), _ => "7")),
        ("texts as nothing", file => Values(file, QuotedValue(), _ => "null")),
        ("texts as half a character", file => Values(file, QuotedValue(), _ => "\"\\ud800\"")),
        ("numbers as texts", file => Values(file, NumberValue(), number => $"\"{number}\"")),
        ("numbers as infinity", file => Values(file, NumberValue(), _ => "Infinity")),
        ("numbers turned negative", file => Values(file, NumberValue(), number => $"-{number.TrimStart('-')}")),
        ("numbers beyond 31 bits", file => Values(file, NumberValue(), _ => "2147483648")),
        ("numbers beyond 64 bits", file => Values(file, NumberValue(), _ => "18446744073709551616")),
        ("numbers with a fraction", file => Values(file, NumberValue(), _ => "1.5")),
        ("truth as an object", file => Values(file, TruthValue(), _ => "{}")),
    ];

    /// <summary>The ways by name; after the known ones come bytes changed at random.</summary>
    public static IEnumerable<(string Way, byte[] Bytes)> Of(byte[] file, int random) =>
        Known.Select(known => (known.Way, known.Spoil(file))).Concat(Enumerable.Range(0, random).Select(seed => ($"bytes changed, seed {seed}", Mutations.Spoil(file, seed))));

    private static string Text(byte[] file) => Encoding.UTF8.GetString(file);

    /// <summary>With an entry more at the beginning of the object; before everything in a file that is none.</summary>
    private static byte[] First(byte[] file, string entry)
    {
        var text = Text(file);
        var at = text.IndexOf('{', StringComparison.Ordinal) + 1;
        return Encoding.UTF8.GetBytes($"{text[..at]}{entry},{text[at..]}");
    }

    private static byte[] Values(byte[] file, Regex value, Func<string, string> other) =>
        Encoding.UTF8.GetBytes(value.Replace(Text(file), match => match.Groups[1].Value + other(match.Groups[2].Value)));

    [GeneratedRegex("""([:,\[]\s*)("(?:[^"\\]|\\.)*")(?=\s*[,}\]])""")]
    private static partial Regex QuotedValue();

    [GeneratedRegex(@"([:,\[]\s*)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")]
    private static partial Regex NumberValue();

    [GeneratedRegex(@"([:,\[]\s*)(true|false)")]
    private static partial Regex TruthValue();
}
