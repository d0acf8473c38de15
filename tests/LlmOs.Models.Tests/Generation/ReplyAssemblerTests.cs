using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Models.Generation;
using LlmOs.Models.Tests.Prompts;

namespace LlmOs.Models.Tests.Generation;

public class ReplyAssemblerTests
{
    private static readonly LetterTokenizer Tokenizer = new("</s>");

    [Fact]
    public void The_end_token_leaves_no_text()
    {
        var pieces = Assemble([], false, "ok", FinishReason.Stop);

        Assert.Equal(["o", "k", ""], pieces.Select(p => p.Text));
        Assert.Equal(FinishReason.Stop, pieces[^1].Finish);
        Assert.True(pieces[^1].IsEndToken);
        Assert.False(pieces[^1].ByStopText);
    }

    [Fact]
    public void A_stop_text_ends_the_reply_before_it()
    {
        var pieces = Assemble(["lo w"], false, "hello world", FinishReason.Length);

        Assert.Equal("hel", string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal("hello w", string.Concat(pieces.Select(p => p.TokenText)));
        Assert.Equal(FinishReason.Stop, pieces[^1].Finish);
        Assert.True(pieces[^1].ByStopText);
    }

    [Fact]
    public void A_pipeline_keeps_the_token_that_completes_a_stop_text()
    {
        var pieces = Assemble(["lo w"], true, "hello world", FinishReason.Length);

        Assert.Equal("hello w", string.Concat(pieces.Select(p => p.Text)));
        Assert.True(pieces[^1].ByStopText);
    }

    [Fact]
    public void Text_held_back_is_shown_when_the_limit_ends_the_reply()
    {
        var pieces = Assemble(["lo world"], false, "hello", FinishReason.Length);

        Assert.Equal("hello", string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal(FinishReason.Length, pieces[^1].Finish);
    }

    [Fact]
    public void A_model_without_a_tokenizer_has_tokens_and_no_text()
    {
        var piece = new ReplyAssembler(null, []).Append(new GenerationPiece(7, null, [], FinishReason.Length));

        Assert.Equal("", piece.Text);
        Assert.Equal(7, piece.Token.Token);
        Assert.Equal(FinishReason.Length, piece.Finish);
    }

    /// <summary>Feeds a text letter by letter; a stop is an end token after it, a length falls on the last letter.</summary>
    private static List<TextPiece> Assemble(string[] stops, bool keepStop, string text, FinishReason finish)
    {
        int[] ids = finish == FinishReason.Stop ? [.. Tokenizer.Encode(text, false, false), Tokenizer.IdOf("</s>")!.Value] : Tokenizer.Encode(text, false, false);
        var assembler = new ReplyAssembler(new StreamingDecoder(Tokenizer, skipSpecialTokens: true), stops, keepStop);
        var pieces = new List<TextPiece>();
        for (var at = 0; at < ids.Length; at++)
        {
            pieces.Add(assembler.Append(new GenerationPiece(ids[at], null, [], at == ids.Length - 1 ? finish : null)));
            if (pieces[^1].Finish is not null)
            {
                break;
            }
        }

        return pieces;
    }
}
