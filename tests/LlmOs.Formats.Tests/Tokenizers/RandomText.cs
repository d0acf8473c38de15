using System.Text;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Texts of every kind of character, from a seed.</summary>
internal sealed class RandomText(int seed)
{
    private static readonly string[] Pieces =
    [
        " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200d", "\ufe0f", "\u0301", "\u0323\u0307", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "Hello", "WORLD", "don't", "the", "ing", "123", "٣٤", "½",
        "中文", "カタカナ", "한국어", "\u1112\u1161\u11ab", "हिन्दी", "ไทย", "עברית", "ﷺ", "ﬁ", "Ａ", "İ", "ß", "▁", "<s>", "</s>", "<unk>", "[MASK]", "<|endoftext|>", "<0x41>", "Ġ", "Ċ", "##s", "\0", "\ufeff", "\ufffd", "\ud800", "\udc00", "𝔘", "𐐷", "e\u0301", ".", "...", "—", "“", "$", "`", "\\", "/", "_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];

    private readonly Random _random = new(seed);

    /// <summary>Half characters become U+FFFD, as in every encoding to UTF-8.</summary>
    public static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    public string Next(int max = 24)
    {
        var text = new StringBuilder();
        for (var count = _random.Next(max + 1); count > 0; count--)
        {
            switch (_random.Next(4))
            {
                case 0:
                    text.Append(Scalar());
                    break;
                case 1:
                    text.Append((char)_random.Next('!', '\x7F'));
                    break;
                default:
                    text.Append(Pieces[_random.Next(Pieces.Length)]);
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>Ids of a vocabulary, some outside it.</summary>
    public int[] Ids(int vocabulary, int max = 24)
    {
        var ids = new int[_random.Next(max + 1)];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = _random.Next(40) == 0 ? _random.Next() : _random.Next(vocabulary);
        }

        return ids;
    }

    private Rune Scalar()
    {
        while (true)
        {
            var value = _random.Next(4) == 0 ? _random.Next(0x110000) : _random.Next(0x3000);
            if (Rune.IsValid(value))
            {
                return new Rune(value);
            }
        }
    }
}
