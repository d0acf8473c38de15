using System.Text.RegularExpressions;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Tests.Tokenizers;

public class WordSplitterTests
{
    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("it's they'll  we've'", "it|'s| they|'ll| | we|'ve|'")]
    [InlineData("a \n\n b", "a| \n\n| b")]
    [InlineData("a\n\nb", "a|\n|\n|b")]
    [InlineData("tail  ", "tail|  ")]
    [InlineData("x=10, y=2²", "x|=|10|,| y|=|2²")]
    [InlineData("日本語 2024年", "日本語| 2024|年")]
    [InlineData("𝒳𝒴 𝟙𝟚 👍🏽!", "𝒳𝒴| 𝟙𝟚| 👍🏽!")]
    [InlineData("no\u00A0break", "no|\u00A0|break")]
    public void Text_is_cut_as_the_published_pattern_cuts_it(string text, string expected) =>
        Assert.Equal(expected.Split('|'), Split(text));

    [Fact]
    public void It_agrees_with_the_pattern_itself_where_that_is_right_in_dotnet()
    {
        // Without characters beyond U+FFFF .NET's engine reads the pattern as it is meant.
        const string Alphabet = "ab'stre  \n\t.,1²é日\u00A0\u2028";
        var random = new Random(7);
        for (var i = 0; i < 2_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));

            var expected = Regex.Matches(text, @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+").Select(m => m.Value);

            Assert.Equal(expected, Split(text));
        }
    }

    private static List<string> Split(string text)
    {
        var pieces = new List<string>();
        while (text.Length > 0)
        {
            var length = WordSplitter.NextLength(text);
            pieces.Add(text[..length]);
            text = text[length..];
        }

        return pieces;
    }
}
