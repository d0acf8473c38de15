using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Compute;

internal static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder routes)
    {
        var nodes = routes.MapGroup("/api/v1/nodes").WithTags("Nodes");
        nodes.MapGet("/", List).WithName("ListNodes").WithSummary("Lists the hosts that take part, with what they do.");
        nodes.MapGet("/{id}", Get).WithName("GetNode").WithSummary("Shows one host.").ProducesProblem(404);
    }

    private static async Task<Ok<Page<NodeView>>> List([AsParameters] Paging paging, LlmOsDb db, SharedClock shared, CancellationToken cancel)
    {
        var nodes = db.Nodes.AsNoTracking();
        if (paging.After is { } after)
        {
            nodes = nodes.Where(n => n.Id.CompareTo(after) > 0);
        }

        var now = await shared.NowAsync(db, cancel);
        return TypedResults.Ok(await nodes.OrderBy(n => n.Id).ToPageAsync(paging.Size, n => n.ToView(now), n => n.Id, cancel));
    }

    private static async Task<Ok<NodeView>> Get(string id, LlmOsDb db, SharedClock shared, CancellationToken cancel)
    {
        var node = await db.Nodes.AsNoTracking().SingleOrDefaultAsync(n => n.Id == id, cancel);
        return TypedResults.Ok((node ?? throw LlmOsException.NotFound("node", id, "/api/v1/nodes")).ToView(await shared.NowAsync(db, cancel)));
    }
}
