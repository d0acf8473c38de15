using LlmOs.Models.Generation;

namespace LlmOs.Models.Tests.Generation;

/// <summary>Where the code of a language stands in a source, by each family's own tokenizer, and what a cut leaves.</summary>
public sealed class SourceFrameTests
{
    private const int End = 2;
    private const int English = 90;
    private const int German = 91;

    [Theory]
    [InlineData(new[] { English, 7, 8, End }, new[] { German, 7, 8, End })]  // NLLB, M2M-100, mBART-50
    [InlineData(new[] { 7, 8, End, English }, new[] { 7, 8, End, German })]  // mBART, NLLB of old
    [InlineData(new[] { 7, 8, End }, new[] { 7, 8, End, German })]           // a tokenizer that knows no language
    [InlineData(new[] { 7, 8 }, new[] { 7, 8, End, German })]
    public void The_code_of_a_language_stands_where_the_tokenizer_puts_one(int[] framed, int[] expected) =>
        Assert.Equal(expected, SourceFrame.Of(framed, [7, 8]).In(German, End).Ids);

    [Theory]
    [InlineData(true, new[] { English, 5, 6, End })]
    [InlineData(false, new[] { English, 7, 8, End })]
    public void A_cut_leaves_what_stands_around_the_text(bool keepsBegin, int[] expected) =>
        Assert.Equal(expected, SourceFrame.Of([English, 5, 6, 7, 8, End], [5, 6, 7, 8]).Cut(4, keepsBegin));

    [Fact]
    public void A_limit_shorter_than_what_stands_around_a_text_leaves_none_of_it() =>
        Assert.Equal([English, End], SourceFrame.Of([English, 5, End], [5]).Cut(1, keepsBegin: false));

    [Fact]
    public void An_empty_text_keeps_its_end() => Assert.Equal([End], SourceFrame.Of([End], []).Ids);
}
