using System.Text;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Tests.Tokenizers;

public sealed class TextChunksTests : IDisposable
{
    private const string Separator = "<|endoftext|>";

    private readonly string _path = Path.GetTempFileName();

    [Fact]
    public void Documents_end_at_separators_and_their_line_feeds_are_layout() =>
        Assert.Equal(["one\n\nmore", "two", "three"], Documents("<|endoftext|>\none\n\nmore\n<|endoftext|>two\n\n<|endoftext|>\n\nthree\n"));

    [Fact]
    public void A_long_text_read_in_stretches_has_the_pieces_of_the_whole()
    {
        var random = new Random(2);
        var text = new StringBuilder();
        while (text.Length < 3_000_000)
        {
            text.Append("abc 12,\n\n \n'st é"[random.Next(16)]);
        }

        var whole = text.ToString().TrimEnd('\n');
        File.WriteAllText(_path, whole);

        var chunks = TextChunks.Read(_path, Separator).Select(c => c.Text.ToString()).ToList();

        Assert.InRange(chunks.Count, 2, 10);
        Assert.Equal(whole, string.Concat(chunks));
        Assert.True(chunks.SelectMany(Pieces).SequenceEqual(Pieces(whole)));
    }

    [Fact]
    public void A_document_longer_than_a_stretch_ends_once()
    {
        var line = new string('x', 99) + "\n";
        var document = string.Concat(Enumerable.Repeat(line, 15_000));

        Assert.Equal(3, Documents($"{document}{Separator}\n{document}{Separator}\nshort").Count);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        File.WriteAllBytes(_path, [0x61, 0xFF, 0xFE, 0x62]);

        Assert.Throws<InvalidDataException>(() => TextChunks.Read(_path, Separator).ToList());
    }

    /// <summary>Also beyond the first stretch that is read at a time, and where a character is cut by its end.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 4)]
    [InlineData(70_000, 70_001)]
    [InlineData(65_536, 65_537)]
    public void The_first_byte_that_is_not_UTF_8_is_named_with_its_line(int offset, int line)
    {
        byte[] text = [.. Enumerable.Repeat((byte)'\n', offset), 0x92, .. "s é"u8, 0xFF];
        File.WriteAllBytes(_path, text);

        var fault = Assert.Throws<InvalidDataException>(() => TextChunks.Read(_path, Separator).ToList());

        Assert.Contains($"byte {offset} (counted from 0, in line {line}), 0x92", fault.Message, StringComparison.Ordinal);
        Assert.Contains("\"encoding\": \"windows-1252\"", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_character_of_several_bytes_is_no_fault_wherever_it_is_cut()
    {
        File.WriteAllBytes(_path, [.. Enumerable.Repeat("€"u8.ToArray(), 30_000).SelectMany(b => b), 0xE2, 0x82]);

        Assert.Contains("byte 90000 ", TextFile.NotUtf8(_path).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_from_Windows_is_read_when_the_request_says_so()
    {
        File.WriteAllBytes(_path, [0x93, (byte)'H', 0xE9, 0x94, 0x80]);

        Assert.Equal("“Hé”€", string.Concat(TextChunks.Read(_path, Separator, "windows-1252").Select(c => c.Text.ToString())));
    }

    public void Dispose() => File.Delete(_path);

    private List<string> Documents(string text)
    {
        File.WriteAllText(_path, text);
        var documents = new List<string>();
        var document = new StringBuilder();
        foreach (var chunk in TextChunks.Read(_path, Separator))
        {
            document.Append(chunk.Text);
            if (chunk.EndsDocument)
            {
                documents.Add(document.ToString());
                document.Clear();
            }
        }

        Assert.Equal(0, document.Length);
        return [.. documents.Where(d => d.Length > 0)];
    }

    private static List<string> Pieces(string text)
    {
        var pieces = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var length = WordSplitter.NextLength(text.AsSpan(at));
            pieces.Add(text.Substring(at, length));
            at += length;
        }

        return pieces;
    }
}
