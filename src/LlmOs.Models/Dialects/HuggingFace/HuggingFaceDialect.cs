using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Dialects.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.HuggingFace;

/// <summary>Hugging Face's pipelines and the paths of its hub. Its inference routes refuse as OpenAI does, and its streams have no closing mark.</summary>
internal sealed class HuggingFaceDialect : IDialect
{
    public string Name => "hugging_face";

    public IReadOnlyList<PathString> Prefixes { get; } = ["/pipeline", "/models"];

    public StreamFraming Framing { get; } = new ServerSentEvents();

    public DialectError ErrorOf(LlmOsException refusal, string requestId) => OpenAiErrors.Of(refusal);
}

internal static class HuggingFaceRoutes
{
    /// <summary>A name's slash may come as itself.</summary>
    private static readonly string[] OfModel = ["/models/{model}", "/models/{owner}/{model}"];

    public static void MapHuggingFace(this IEndpointRouteBuilder routes)
    {
        routes.MapPipelines();
        foreach (var prefix in OfModel)
        {
            // The hub's path of a model, and OpenAI's dialect behind it: its streams end as OpenAI's do.
            routes.MapGroup(prefix).WithMetadata(OpenAiDialect.Instance).MapOpenAiOfModel();
        }
    }
}
