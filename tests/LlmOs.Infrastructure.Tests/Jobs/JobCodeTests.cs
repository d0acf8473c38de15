using System.Globalization;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Infrastructure.Tests.Jobs;

public class JobCodeTests
{
    private static readonly JobCode Fetching = new("fetching", "fetching {file}: {done:bytes} of {total:bytes}");

    [Fact]
    public void A_message_is_its_code_with_its_arguments_in_one_English_line()
    {
        var message = Fetching.With(("file", "a {b}.bin"), ("done", 12L), ("total", 4_560_000_000L));

        Assert.Equal("fetching a {b}.bin: 12 bytes of 4.56 GB", message.Text);
        Assert.Equal("""{"file":"a {b}.bin","done":12,"total":4560000000}""", message.Arguments.GetRawText());
    }

    [Fact]
    public void Numbers_are_written_as_the_reader_writes_them()
    {
        var loss = new JobCode("step", "step {step}, loss {loss:0.000}").With(("step", 12_345), ("loss", 1.5));

        Assert.Equal("step 12345, loss 1.500", loss.Text);
        Assert.Equal("Schritt 12345: 1,50", JobPhrase.Fill("Schritt {step}: {loss:0.00}", loss.Arguments, CultureInfo.GetCultureInfo("de-DE")));
        Assert.Equal("? of 12345", JobPhrase.Fill("{other} of {step}", loss.Arguments, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void What_no_database_or_JSON_takes_is_replaced()
    {
        var message = new JobCode("said", "{text}, {loss:0.0}").With(("text", "a\0b\ud800"), ("loss", double.NaN));

        Assert.Equal("a\ufffdb\ufffd, NaN", message.Text);
    }

    [Fact]
    public void Places_are_named_once_each() => Assert.Equal(["file", "done", "total"], JobPhrase.Places(Fetching.Sentence));
}
