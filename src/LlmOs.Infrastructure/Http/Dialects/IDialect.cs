using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Http.Dialects;

/// <summary>
/// How one API is spoken: its paths, who may call it, how it refuses and how it streams. It lies on each of its endpoints as
/// metadata, so whoever handles a request asks the endpoint and knows no path.
/// </summary>
public interface IDialect
{
    /// <summary>For logs and messages: <c>openai</c>.</summary>
    string Name { get; }

    /// <summary>Beginnings of its paths, for requests that reach no endpoint: an unknown path, a wrong method, a server that stops.</summary>
    IReadOnlyList<PathString> Prefixes { get; }

    /// <summary>How the items of its streams are written.</summary>
    StreamFraming Framing { get; }

    /// <summary>The scope that an endpoint needs unless it states its own.</summary>
    string ScopeOf(string method) => Scopes.Inference;

    /// <summary>A refusal in its words; also the data of an error within a stream.</summary>
    DialectError ErrorOf(LlmOsException refusal, string requestId);
}

/// <summary>A refusal as it goes out.</summary>
/// <param name="Body">Written as JSON by its own type.</param>
public sealed record DialectError(int Status, string ContentType, object Body);
