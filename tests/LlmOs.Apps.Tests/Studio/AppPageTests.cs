using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Apps.Studio;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Apps.Tests.Studio;

public partial class AppPageTests
{
    private static readonly AppTemplate StoryWriter = TemplateCatalogue.Load().Get("story-writer", "template");

    private static readonly App Tales = new()
    {
        Slug = "tales",
        Template = StoryWriter.Name,
        Model = "starter",
        Settings = "{}",
        KeyId = "key_1",
        CreatedAt = DateTimeOffset.UnixEpoch,
    };

    [Fact]
    public void The_policy_lets_in_the_pages_own_style_and_script_and_nothing_else()
    {
        var response = new DefaultHttpContext().Response;

        var html = AppPage.Of(Tales, StoryWriter, "en", response).ResponseContent!;

        var policy = response.Headers.ContentSecurityPolicy.ToString();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src '{Hash(Between(html, "<script>", "</script>"))}'", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{Hash(Between(html, "<style>", "</style>"))}'", policy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_loads_nothing_from_elsewhere_and_labels_every_field()
    {
        var html = AppPage.Render(Tales, StoryWriter, "en", default);

        Assert.DoesNotContain("http", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(@"\son\w+=", html);
        foreach (Match control in Controls().Matches(html))
        {
            Assert.Contains($"<label for=\"{control.Groups[1].Value}\">", html, StringComparison.Ordinal);
        }

        Assert.Equal(3, Controls().Count(html));
    }

    [Fact]
    public void What_a_template_says_cannot_become_markup()
    {
        var html = AppPage.Render(Tales, StoryWriter with { Title = "<b>\"'&", Inputs = [StoryWriter.Inputs[0] with { Help = "</p><script>alert(1)</script>", Default = "</textarea><i>" }] }, "en", default);

        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.DoesNotContain("</textarea><i>", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "故事续写")]
    [InlineData("zh-Hans", "en", "zh-Hans", "故事续写")]
    [InlineData("en", "zh-CN", "en", "Story writer")]
    [InlineData(null, "fr", "en", "Story writer")]
    public void The_page_speaks_the_visitors_language(string? chosen, string accepted, string language, string title)
    {
        var html = AppPage.Of(Tales, StoryWriter, PageLanguages.Of(chosen, accepted), new DefaultHttpContext().Response).ResponseContent!;

        Assert.Contains($"<html lang=\"{language}\">", html, StringComparison.Ordinal);
        Assert.Contains($"<h1>{System.Net.WebUtility.HtmlEncode(title)}</h1>", html, StringComparison.Ordinal);
        if (language != "en")
        {
            var shown = Tags().Replace(Between(html, "<body>", "<script>"), "");
            Assert.DoesNotMatch("[A-Za-z]{3,} [A-Za-z]{3,}", System.Net.WebUtility.HtmlDecode(shown));
        }
    }

    [Fact]
    public void The_OpenAPI_document_spells_out_the_inputs()
    {
        using var document = JsonDocument.Parse(AppOpenApi.Of(Tales, StoryWriter, "http://127.0.0.1:8080").ToJsonString(LlmOsJson.Options));

        var root = document.RootElement;
        Assert.True(root.GetProperty("paths").TryGetProperty("/api/v1/apps/tales/invoke", out _));
        var inputs = root.GetProperty("components").GetProperty("schemas").GetProperty("Request").GetProperty("properties").GetProperty("inputs");
        Assert.Equal(["opening"], inputs.GetProperty("required").EnumerateArray().Select(e => e.GetString()));
        Assert.Equal("""{"type":"integer","title":"Length","description":"How much to write, in tokens; a token is about three quarters of a word.","default":120,"minimum":8,"maximum":200}""", inputs.GetProperty("properties").GetProperty("length").GetRawText());
    }

    private static string Between(string html, string begin, string end)
    {
        var from = html.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return html[from..html.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static string Hash(string content) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("<(?:input|textarea|select) id=\"([^\"]+)\"")]
    private static partial Regex Controls();
}
