using System.Text.Json;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Infrastructure.Tests.Jobs;

public class SecretLinksTests
{
    [Theory]
    [InlineData("https://host/file.gguf?X-Amz-Signature=abc&x=1", "https://host/file.gguf?(hidden)")]
    [InlineData("https://user:secret@host:8443/a/b", "https://(hidden)@host:8443/a/b")]
    [InlineData("see http://a/?t=1 and http://b/", "see http://a/?(hidden) and http://b/")]
    [InlineData("hf:org/name@main", "hf:org/name@main")]
    [InlineData("https://host/file.gguf", "https://host/file.gguf")]
    public void What_lets_somebody_in_is_hidden(string text, string shown) => Assert.Equal(shown, SecretLinks.Hide(text));

    [Fact]
    public void All_texts_of_a_value_are_looked_at_and_the_rest_stays()
    {
        var value = JsonDocument.Parse("""{"source":"https://h/f?sig=1","deep":[{"x":["https://u@h/"]},1.50,null,true],"name":"m"}""").RootElement;

        Assert.Equal("""{"source":"https://h/f?(hidden)","deep":[{"x":["https://(hidden)@h/"]},1.50,null,true],"name":"m"}""", SecretLinks.Hide(value).GetRawText());
    }
}
