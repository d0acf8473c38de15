using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Http.Dialects;

/// <summary>The platform's own API: problem documents, <c>read</c> to look and <c>admin</c> to change. What no other dialect claims is spoken so.</summary>
public sealed class PlatformDialect : IDialect
{
    private PlatformDialect()
    {
    }

    public static PlatformDialect Instance { get; } = new();

    public string Name => "llmos";

    public IReadOnlyList<PathString> Prefixes => [];

    public StreamFraming Framing { get; } = new ServerSentEvents();

    public string ScopeOf(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Scopes.Read : Scopes.Admin;

    public DialectError ErrorOf(LlmOsException refusal, string requestId) =>
        new(Refusals.StatusOf(refusal.Code), "application/problem+json", Refusals.ToProblem(refusal, requestId));
}
