using LlmOs.Contracts;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Web;

/// <summary>How one person sees the console. Kept in two cookies, so that the first page is right at once.</summary>
/// <param name="Language">A key of <see cref="PageLanguages.All"/>.</param>
public sealed record Look(string Language, bool Dark)
{
    /// <summary>Set by console.js, as is <see cref="PageLanguages.Cookie"/>.</summary>
    private const string ThemeCookie = "llmos_theme";

    /// <summary>As the cookies say; without them in the browser's language, and light.</summary>
    public static Look Of(HttpRequest request) =>
        new(PageLanguages.Of(request.Cookies[PageLanguages.Cookie], request.Headers.AcceptLanguage), request.Cookies[ThemeCookie] == "dark");
}
