using LlmOs.Models.Serving;

namespace LlmOs.Models.Tests.Serving;

public class SpecialTokenGuardTests
{
    private const char Mark = '\uFDD0';
    private static readonly LetterTokenizer Tokenizer = new("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "#");
    private static readonly SpecialTokenGuard Guard = new(Tokenizer);

    [Fact]
    public void Text_without_special_tokens_stays_as_it_is()
    {
        Assert.Same("Hello <b>you</b>", Guard.Mark("Hello <b>you</b>", Mark));
    }

    [Theory]
    [InlineData("<|endoftext|>")]
    [InlineData("a<|im_end|>b<s>c")]
    [InlineData("<|im_<|im_end|>end|>")]
    [InlineData("<<s>s><s>")]
    [InlineData("# and ##")]
    public void A_user_cannot_write_a_special_token(string text)
    {
        var prompt = $"<|im_start|>user\n{Guard.Mark(text, Mark)}<|im_end|>\n<|im_start|>assistant\n";

        var ids = Guard.Encode(prompt, Mark);

        Assert.Equal(["<|im_start|>", "<|im_end|>", "<|im_start|>"], ids.Where(Tokenizer.IsSpecial).Select(Tokenizer.TokenOf));
        Assert.Equal($"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n", Tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    [Fact]
    public void What_the_template_writes_does_become_special_tokens()
    {
        var ids = Guard.Encode("<s><|im_start|>hi<|im_end|>", Mark);

        Assert.Equal(Tokenizer.Encode("<s><|im_start|>hi<|im_end|>", addSpecialTokens: false, parseSpecialTokens: true), ids);
    }

    [Fact]
    public void A_mark_is_a_character_that_no_text_holds()
    {
        Assert.Equal('\uFDD0', SpecialTokenGuard.FreeMark(["plain"]));
        Assert.Equal('\uFDD2', SpecialTokenGuard.FreeMark(["\uFDD0", "\uFDD1"]));
        Assert.Null(SpecialTokenGuard.FreeMark([string.Concat(Enumerable.Range(0xFDD0, 32).Select(c => (char)c))]));
    }
}
