using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Models.Generation;

/// <summary>How single tokens are shown: their text as it stands within a text, and its bytes.</summary>
internal sealed class TokenTexts(ITokenizer tokenizer)
{
    private static readonly Dictionary<char, byte> ByteOfLetter = ByteLetters();

    private readonly ConcurrentDictionary<int, (string Text, byte[]? Bytes)> _known = new();

    /// <summary>The token's text; a part of a character is shown as <c>bytes:\xe4\xbd</c>.</summary>
    public string Text(int id) => Of(id).Text;

    /// <summary>The token's UTF-8 bytes; null where they cannot be told.</summary>
    public byte[]? Bytes(int id) => Of(id).Bytes;

    private (string Text, byte[]? Bytes) Of(int id) => _known.GetOrAdd(id, Make);

    private (string Text, byte[]? Bytes) Make(int id)
    {
        // At the start of a text some tokenizers drop a token's blank; the second of two shows it.
        var once = tokenizer.Decode([id], skipSpecialTokens: false);
        var text = tokenizer.Decode([id, id], skipSpecialTokens: false)[once.Length..];
        if (!text.Contains('\uFFFD'))
        {
            return (text, Encoding.UTF8.GetBytes(text));
        }

        var bytes = BytesOfSpelling(tokenizer.TokenOf(id) ?? "");
        return bytes is null ? (text, null) : ("bytes:" + string.Concat(bytes.Select(b => $"\\x{b:x2}")), bytes);
    }

    /// <summary>The bytes that a spelling stands for: <c>&lt;0xE4&gt;</c>, or a byte-level token's letters.</summary>
    private static byte[]? BytesOfSpelling(string spelling)
    {
        if (spelling is ['<', '0', 'x', var high, var low, '>'] && byte.TryParse([high, low], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var single))
        {
            return [single];
        }

        return spelling.Length > 0 && spelling.All(ByteOfLetter.ContainsKey) ? [.. spelling.Select(letter => ByteOfLetter[letter])] : null;
    }

    /// <summary>GPT-2's letters for bytes: printable ones are themselves, the others follow from U+0100 on.</summary>
    private static Dictionary<char, byte> ByteLetters()
    {
        var letters = new Dictionary<char, byte>();
        var next = 0x100;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            letters[printable ? (char)value : (char)next++] = (byte)value;
        }

        return letters;
    }
}
