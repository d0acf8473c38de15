using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Dialects;

/// <summary>What routes that run models have in common, in whichever dialect.</summary>
internal static class DialectAnswers
{
    /// <summary>Says what an inference route answers; how its refusals look follows from its dialect.</summary>
    /// <param name="contentType">Null: JSON.</param>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, string? contentType = null) => route
        .WithTags("Inference")
        .Produces<T>(StatusCodes.Status200OK, contentType)
        .Produces(StatusCodes.Status400BadRequest)
        .Produces(StatusCodes.Status401Unauthorized)
        .Produces(StatusCodes.Status404NotFound)
        .Produces(StatusCodes.Status429TooManyRequests)
        .Produces(StatusCodes.Status503ServiceUnavailable);
}

/// <summary>Ids of answers.</summary>
internal static class Ids
{
    /// <summary>The prefix and 24 hex digits; not guessable.</summary>
    public static string New(string prefix) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
}
