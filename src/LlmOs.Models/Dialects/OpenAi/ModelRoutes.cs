using System.Security.Cryptography;
using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Model names in paths: a name's slash comes as <c>%2F</c> or as itself.</summary>
internal static class ModelRoutes
{
    /// <summary>The beginnings of routes that name a model.</summary>
    public static readonly IReadOnlyList<string> Prefixes = ["/models/{model}", "/models/{owner}/{model}"];

    /// <summary>The name that the path holds.</summary>
    public static string NameOf(HttpContext http)
    {
        var model = (string?)http.GetRouteValue("model") ?? "";
        var name = http.GetRouteValue("owner") is string owner ? $"{owner}/{model}" : model;
        return Unescape(name);
    }

    /// <summary>The framework leaves <c>%2F</c> in a route value alone; all else is unescaped already.</summary>
    public static string Unescape(string name) => ModelName.FromPath(name);

    /// <summary>Says what an inference route answers.</summary>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route) => route
        .WithTags("Inference")
        .Produces<T>()
        .Produces<ErrorBody>(StatusCodes.Status400BadRequest)
        .Produces<ErrorBody>(StatusCodes.Status401Unauthorized)
        .Produces<ErrorBody>(StatusCodes.Status404NotFound)
        .Produces<ErrorBody>(StatusCodes.Status429TooManyRequests)
        .Produces<ErrorBody>(StatusCodes.Status503ServiceUnavailable);
}

/// <summary>Ids of answers.</summary>
internal static class Ids
{
    /// <summary>The prefix and 24 hex digits; not guessable.</summary>
    public static string New(string prefix) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
}
