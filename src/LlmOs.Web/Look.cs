using LlmOs.Web.Language;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Web;

/// <summary>How one person sees the console. Kept in two cookies, so that the first page is right at once.</summary>
/// <param name="Language">A key of <see cref="Texts.Languages"/>.</param>
public sealed record Look(string Language, bool Dark)
{
    /// <summary>Set by console.js.</summary>
    private const string LanguageCookie = "llmos_language";
    private const string ThemeCookie = "llmos_theme";

    /// <summary>As the cookies say; without them in the browser's language, and light.</summary>
    public static Look Of(HttpRequest request)
    {
        var stated = request.Cookies[LanguageCookie];
        var language = stated is not null && Texts.Languages.ContainsKey(stated) ? stated : Texts.Preferred(request.Headers.AcceptLanguage.ToString());
        return new Look(language, request.Cookies[ThemeCookie] == "dark");
    }
}
