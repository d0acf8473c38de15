using LlmOs.Formats.Tokenizers;
using LlmOs.Formats.Tokenizers.Patterns;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>The patterns that are matched by hand cut as the expressions that they stand for.</summary>
public sealed class WordPatternsTests
{
    [Fact]
    public void Each_cuts_random_texts_as_its_expression_does()
    {
        var random = new RandomText(seed: 11);
        foreach (var source in WordPatterns.Sources)
        {
            var expression = PatternRegex.Compile(source, "test");
            for (var i = 0; i < 600; i++)
            {
                var text = RandomText.Whole(random.Next());
                var pieces = new Pieces(new AlignedText(text, 0, tracked: false, new Work(text.Length)));
                var matches = new List<Piece>();

                WordPatterns.Find(source)!.Split(pieces);
                expression.Matches(text, matches, new Work(text.Length));

                Assert.True(matches.SequenceEqual(pieces.List), $"{source}\n'{GoldenFiles.Shown(text)}':\n{string.Join(' ', matches)}\n{string.Join(' ', pieces.List)}");
            }
        }
    }
}
