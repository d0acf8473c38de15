using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Model names in paths: a name's slash comes as <c>%2F</c> or as itself.</summary>
internal static class ModelRoutes
{
    /// <summary>The name that the path holds.</summary>
    public static string NameOf(HttpContext http)
    {
        var model = (string?)http.GetRouteValue("model") ?? "";
        var name = http.GetRouteValue("owner") is string owner ? $"{owner}/{model}" : model;
        return Unescape(name);
    }

    /// <summary>The framework leaves <c>%2F</c> in a route value alone; all else is unescaped already.</summary>
    public static string Unescape(string name) => ModelName.FromPath(name);
}
