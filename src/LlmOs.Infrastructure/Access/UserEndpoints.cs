using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Access;

internal static class UserEndpoints
{
    /// <summary>Stands in paths for the user who asks; no user has this name.</summary>
    public const string Oneself = "me";

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/v1/users").WithTags("Users").RequireScope(Scopes.Admin);
        users.MapPost("/", Create).WithName("CreateUser").WithSummary("Makes a user who signs in to the console with this name and password.").ProducesProblem(400).ProducesProblem(409)
            .WithRequestExample("""{"name":"ada","password":"correct horse battery","scopes":["inference","read"]}""");
        users.MapGet("/", List).WithName("ListUsers").WithSummary("Lists users, the newest first.");
        users.MapGet("/{name}", Get).WithName("GetUser").WithSummary("One user.").ProducesProblem(404);
        users.MapPatch("/{name}", Change).WithName("ChangeUser").WithSummary("Sets a password or scopes, disables or enables; what is left out stays. The user's sessions end.").ProducesProblem(400).ProducesProblem(404)
            .WithRequestExample("""{"disabled":true}""");
        users.MapDelete("/{name}", Delete).WithName("DeleteUser").WithSummary("Deletes a user; their sessions end. The keys that the user made stay, unless revoke_keys is true.").ProducesProblem(404).ProducesProblem(409);

        routes.MapPost($"/api/v1/users/{Oneself}/password", ChangePassword).WithTags("Users").RequireScope(Scopes.Inference, Scopes.Read)
            .WithName("ChangePassword").WithSummary("Changes the password of the user who asks; all their sessions end.").ProducesProblem(400).ProducesProblem(429)
            .WithRequestExample("""{"current_password":"correct horse battery","new_password":"staple of my own choice"}""");
    }

    private static async Task<Created<UserView>> Create(CreateUserRequest request, Users users, CancellationToken cancel)
    {
        var user = await users.CreateAsync(request, cancel);
        return TypedResults.Created($"/api/v1/users/{Uri.EscapeDataString(user.Name)}", user);
    }

    private static async Task<Ok<Page<UserView>>> List([AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        var users = db.Users.AsNoTracking();
        if (paging.After is { } after)
        {
            var last = await users.Where(u => u.Name == after).Select(u => (long?)u.Seq).SingleOrDefaultAsync(cancel) ?? throw paging.UnknownCursor("user");
            users = users.Where(u => u.Seq < last);
        }

        return TypedResults.Ok(await users.OrderByDescending(u => u.Seq).ToPageAsync(paging.Size, u => u.ToView(), u => u.Name, cancel));
    }

    private static async Task<Ok<UserView>> Get(string name, LlmOsDb db, CancellationToken cancel)
    {
        var normal = User.Normalize(name);
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Name == normal, cancel) ?? throw LlmOsException.NotFound("user", name, "/api/v1/users");
        return TypedResults.Ok(user.ToView());
    }

    private static async Task<Ok<UserView>> Change(string name, ChangeUserRequest request, Users users, CancellationToken cancel) =>
        TypedResults.Ok(await users.ChangeAsync(name, request, cancel));

    private static async Task<NoContent> Delete(string name, [FromQuery(Name = "revoke_keys")] bool? revokeKeys, Users users, ApiKeys keys, CancellationToken cancel)
    {
        await users.DeleteAsync(name, revokeKeys is true ? keys : null, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> ChangePassword(ChangePasswordRequest request, Users users, ClaimsPrincipal caller, CancellationToken cancel)
    {
        await users.ChangePasswordAsync(caller.CallerId() ?? "", request, cancel);
        return TypedResults.NoContent();
    }
}
