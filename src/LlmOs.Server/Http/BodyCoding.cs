using LlmOs.Contracts;
using LlmOs.Infrastructure;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Server.Http;

/// <summary>
/// How the bytes of a body are to be read, settled before an endpoint reads them: no compression, and JSON in UTF-8 under
/// whichever of its names, or in another form of Unicode that says so.
/// </summary>
internal sealed class BodyCoding(RequestDelegate next)
{
    private const string Parameter = "charset=";
    private static readonly string[] Utf8 = ["", "utf-8", "utf8", "us-ascii", "ascii"];
    private static readonly string[] Transcoded = ["utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be", "iso-8859-1"];

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "identity";
            throw new LlmOsException(ErrorCode.UnsupportedMediaType, $"Content-Encoding: '{Shown.Of(coding)}' is not accepted; bodies are taken as they are.")
            {
                Field = HeaderNames.ContentEncoding,
                Hint = "Send the body without compression.",
            };
        }

        if (request.ContentType is { } type && type.Contains(Parameter, StringComparison.OrdinalIgnoreCase) && IsJson(type))
        {
            request.ContentType = WithKnownCharset(type);
        }

        return next(context);
    }

    private static bool IsJson(string type)
    {
        var media = type.AsSpan(0, Math.Max(type.IndexOf(';', StringComparison.Ordinal), 0)).Trim();
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The type without a charset that means UTF-8: the framework knows only one spelling of it.</summary>
    private static string WithKnownCharset(string type)
    {
        var kept = new List<string>();
        foreach (var part in type.Split(';', StringSplitOptions.TrimEntries))
        {
            if (!part.StartsWith(Parameter, StringComparison.OrdinalIgnoreCase))
            {
                kept.Add(part);
                continue;
            }

            var name = part[Parameter.Length..].Trim().Trim('"').Trim();
            if (Utf8.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!Transcoded.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                throw new LlmOsException(ErrorCode.UnsupportedMediaType, $"Content-Type: the charset '{Shown.Of(name)}' is not accepted; JSON is UTF-8.")
                {
                    Field = HeaderNames.ContentType,
                    Hint = "Send the body in UTF-8 as 'Content-Type: application/json'.",
                };
            }

            kept.Add($"charset={name}");
        }

        return string.Join("; ", kept);
    }
}
