using LlmOs.Contracts;
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

    private static async Task<Ok<Page<NodeView>>> List(LlmOsDb db, TimeProvider clock, CancellationToken cancel)
    {
        var rows = await db.Nodes.AsNoTracking().OrderBy(n => n.Id).Take(1000).ToListAsync(cancel);
        var now = clock.GetUtcNow();
        return TypedResults.Ok(new Page<NodeView>([.. rows.Select(n => n.ToView(now))], Next: null));
    }

    private static async Task<Ok<NodeView>> Get(string id, LlmOsDb db, TimeProvider clock, CancellationToken cancel)
    {
        var node = await db.Nodes.AsNoTracking().SingleOrDefaultAsync(n => n.Id == id, cancel);
        return TypedResults.Ok((node ?? throw LlmOsException.NotFound("node", id)).ToView(clock.GetUtcNow()));
    }
}
