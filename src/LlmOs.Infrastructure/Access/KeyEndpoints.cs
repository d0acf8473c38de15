using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Access;

internal static class KeyEndpoints
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/v1/keys").WithTags("Keys").RequireScope(Scopes.Admin);
        keys.MapPost("/", Create).WithName("CreateKey").WithSummary("Makes a key; the answer is the only place where it can be read.").ProducesProblem(400)
            .WithRequestExample("""{"name":"my laptop","scopes":["inference","read"],"expires_at":null}""");
        keys.MapGet("/", List).WithName("ListKeys").WithSummary("Lists keys without their secrets, the newest first.");
        keys.MapDelete("/{id}", Revoke).WithName("RevokeKey").WithSummary("Makes a key worthless, at once.").ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Created<CreatedKey>> Create(CreateKeyRequest request, ApiKeys keys, ClaimsPrincipal caller, HttpContext context, CancellationToken cancel)
    {
        var created = await keys.CreateAsync(request.Name, request.Scopes ?? [Scopes.Inference], request.ExpiresAt, caller.CallerId(), cancel);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api/v1/keys/{created.Id}", created);
    }

    private static async Task<Ok<Page<KeyView>>> List([AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        var keys = db.ApiKeys.AsNoTracking();
        if (paging.After is { } after)
        {
            var last = await keys.Where(k => k.Id == after).Select(k => (long?)k.Seq).SingleOrDefaultAsync(cancel) ?? throw paging.UnknownCursor("key");
            keys = keys.Where(k => k.Seq < last);
        }

        return TypedResults.Ok(await keys.OrderByDescending(k => k.Seq).ToPageAsync(paging.Size, k => k.ToView(), k => k.Id, cancel));
    }

    private static async Task<NoContent> Revoke(string id, ApiKeys keys, CancellationToken cancel)
    {
        await keys.RevokeAsync(id, cancel);
        return TypedResults.NoContent();
    }
}
