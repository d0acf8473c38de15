using LlmOs.Models.Generation;

namespace LlmOs.Models.Tests.Generation;

public class StopStringsTests
{
    [Fact]
    public void Without_stop_texts_everything_passes_at_once()
    {
        var stops = new StopStrings([]);

        Assert.Equal("Hello", stops.Append("Hello"));
        Assert.Equal("", stops.Finish());
    }

    [Fact]
    public void Text_is_cut_where_the_stop_text_begins()
    {
        var stops = new StopStrings(["END"]);

        Assert.Equal("one ", stops.Append("one END two"));
        Assert.True(stops.Matched);
        Assert.Equal("", stops.Append("more"));
        Assert.Equal("", stops.Finish());
    }

    [Fact]
    public void What_may_begin_a_stop_text_is_held_back_until_it_is_decided()
    {
        var stops = new StopStrings(["\n\nUser:"]);

        Assert.Equal("Well.", stops.Append("Well.\n"));
        Assert.Equal("", stops.Append("\nUs"));
        Assert.Equal("\n\nUs", stops.Append("\n")[..4]);
        Assert.False(stops.Matched);
    }

    [Fact]
    public void Text_held_back_comes_out_when_the_reply_ends()
    {
        var stops = new StopStrings(["stop"]);

        Assert.Equal("a full ", stops.Append("a full sto"));
        Assert.Equal("sto", stops.Finish());
    }

    [Fact]
    public void Of_several_stop_texts_the_first_in_the_text_counts()
    {
        var stops = new StopStrings(["cd", "b"]);

        Assert.Equal("a", stops.Append("abcd"));
        Assert.True(stops.Matched);
    }

    [Fact]
    public void A_beginning_that_restarts_within_itself_is_found()
    {
        var stops = new StopStrings(["aab"]);

        Assert.Equal("a", stops.Append("aa") + stops.Append("a"));
        Assert.Equal("", stops.Append("b"));
        Assert.True(stops.Matched);
    }

    public static TheoryData<string, string[]> Cases => new()
    {
        { "the cat sat on the mat and the dog", ["the dog", "mat"] },
        { "aaaaaabaaaab", ["aab"] },
        { "abcabcabd", ["abcabd", "zz"] },
        { "no stop in here", ["nope"] },
        { "😀😁😂 and more", ["😂"] },
        { "x", ["x"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void However_the_text_arrives_the_same_part_of_it_comes_out(string text, string[] texts)
    {
        var first = texts.Select(t => text.IndexOf(t, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        var expected = first < 0 ? text : text[..first];
        for (var size = 1; size <= text.Length; size++)
        {
            var stops = new StopStrings(texts);
            var shown = "";
            foreach (var piece in text.Chunk(size))
            {
                shown += stops.Append(new string(piece));
                Assert.StartsWith(shown, expected, StringComparison.Ordinal);
            }

            Assert.Equal(expected, shown + stops.Finish());
            Assert.Equal(first >= 0, stops.Matched);
        }
    }
}
