using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Streams of routes of the tiers above that are written as OpenAI's are.</summary>
public static class EventStreams
{
    /// <param name="events">Each becomes one <c>data:</c> line of JSON; <c>[DONE]</c> follows the last.</param>
    /// <param name="owner">Disposed when the stream has ended, in whatever way.</param>
    public static IResult Of(IAsyncEnumerable<object> events, IAsyncDisposable owner) => new EventStream(events, owner, OpenAiDialect.Instance);
}
