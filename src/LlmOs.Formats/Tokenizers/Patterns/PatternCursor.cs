using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>An expression that is being read, how far, and what holds there.</summary>
/// <param name="component">Part of the tokenizer that has the expression, for messages.</param>
internal sealed class PatternCursor(string text, string component)
{
    public string Text { get; } = text;

    /// <summary>The next character.</summary>
    public int At { get; set; }

    /// <summary>Groups and classes that are open.</summary>
    public int Depth { get; set; }

    public bool IgnoreCase { get; set; }

    public bool More => At < Text.Length;

    /// <summary>Takes a text if it stands here.</summary>
    public bool Take(string expected)
    {
        if (string.CompareOrdinal(Text, At, expected, 0, expected.Length) != 0)
        {
            return false;
        }

        At += expected.Length;
        return true;
    }

    public int ReadScalar()
    {
        Rune.DecodeFromUtf16(Text.AsSpan(At), out var rune, out var used);
        At += used;
        return rune.Value;
    }

    public TokenizerFormatException Error(string what) =>
        new($"{component}: the regular expression \"{Vocabulary.Shown(Text)}\" {what} (at character {At}).");
}
