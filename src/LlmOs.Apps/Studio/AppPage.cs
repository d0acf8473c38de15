using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LlmOs.Apps.Studio;

/// <summary>
/// The page of a published app: one HTML document that loads nothing else. It asks for the app's key, keeps it in memory
/// alone, and shows the answer as text.
/// </summary>
internal static class AppPage
{
    /// <summary>Style and script are let in by their own hashes; everything else is shut out.</summary>
    private static readonly string Policy =
        $"default-src 'none'; style-src '{HashOf(AppPageAssets.Style)}'; script-src '{HashOf(AppPageAssets.Script)}'; connect-src 'self'; "
        + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <param name="language">A key of <see cref="PageLanguages.All"/>.</param>
    public static ContentHttpResult Of(App app, AppTemplate template, string language, HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-cache";
        response.Headers.Vary = "Accept-Language, Cookie";
        return TypedResults.Content(Render(app, template.In(language), language, response.HttpContext.Request.PathBase), "text/html; charset=utf-8", Encoding.UTF8);
    }

    internal static string Render(App app, AppTemplate template, string language, PathString root)
    {
        var words = AppPageWords.Of(language);
        var fields = string.Concat(template.Inputs.Select(Field));
        return $"""
            <!doctype html>
            <html lang="{language}">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(template.Title)}</title>
            <link rel="icon" href="data:,">
            <style>{AppPageAssets.Style}</style>
            </head>
            <body>
            <main>
            <h1>{Text(template.Title)}</h1>
            <p>{Text(template.Description)}</p>
            <form id="form" data-invoke="{Text(root.Value ?? "")}/api/v1/apps/{app.Slug}/invoke" data-output="{Text(template.Output)}" data-wrong-key="{Text(words.WrongKey)}" data-answered="{Text(words.Answered)}" data-broken-off="{Text(words.BrokenOff)}">
            <label for="key">{Text(words.Key)}</label>
            <input id="key" type="password" autocomplete="off" required aria-describedby="key-help">
            <p class="help" id="key-help">{Text(words.KeyHelp)}</p>
            {fields}<button id="go">{Text(words.Start)}</button> <button id="stop" type="button" hidden>{Text(words.Stop)}</button>
            </form>
            <p id="problem" role="alert"></p>
            <h2 id="output-label">{Text(template.OutputLabel)}</h2>
            <div id="output" role="region" aria-live="polite" aria-labelledby="output-label"></div>
            <p class="help">{Text(string.Format(CultureInfo.InvariantCulture, words.MadeBy, app.Model))}</p>
            </main>
            <script>{AppPageAssets.Script}</script>
            </body>
            </html>

            """;
    }

    private static string Field(TemplateInput input)
    {
        var id = $"input-{input.Name}";
        var shared = $"""id="{id}" name="{input.Name}" data-type="{(input.Type is TemplateInputType.WholeNumber or TemplateInputType.Number ? "number" : "text")}" aria-describedby="{id}-help" required""";
        var control = input.Type switch
        {
            TemplateInputType.Text => $"""<textarea {shared} rows="4" maxlength="{input.MaxLength}">{Text(input.Default ?? "")}</textarea>""",
            TemplateInputType.Choice => $"<select {shared}>{string.Concat(input.Choices.Select(c => $"<option{(c == input.Default ? " selected" : "")}>{Text(c)}</option>"))}</select>",
            TemplateInputType.WholeNumber => Number(shared, input, "1"),
            TemplateInputType.Number => Number(shared, input, "any"),
        };
        return $"""
            <label for="{id}">{Text(input.Label)}</label>
            {control}
            <p class="help" id="{id}-help">{Text(input.Help)}</p>

            """;
    }

    private static string Number(string shared, TemplateInput input, string step) => string.Create(
        CultureInfo.InvariantCulture,
        $"""<input {shared} type="number" step="{step}" min="{input.Minimum}" max="{input.Maximum}" value="{Text(input.Default ?? "")}">""");

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string HashOf(string content) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
}
