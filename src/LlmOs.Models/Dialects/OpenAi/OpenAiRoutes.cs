using LlmOs.Models.Dialects.OpenAi.Files;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

internal static class OpenAiRoutes
{
    public static void MapOpenAi(this IEndpointRouteBuilder routes)
    {
        routes.MapModelList();
        routes.MapCompletions();
        routes.MapChat();
        routes.MapEmbeddings();
        routes.MapTokenize();
        routes.MapFiles();
        routes.MapFilesInParts();
    }

    /// <summary>The routes that run a model which the path names; the group's prefix holds <c>{model}</c>.</summary>
    public static void MapOpenAiOfModel(this IEndpointRouteBuilder routes)
    {
        routes.MapCompletionsOfModel();
        routes.MapChatOfModel();
    }
}
