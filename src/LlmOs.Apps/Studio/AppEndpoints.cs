using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using LlmOs.Apps.Running;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Apps.Studio;

internal static class AppEndpoints
{
    private const string OwnKey = "app:{slug}";

    public static void MapApps(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v1/templates", ListTemplates).WithTags("Apps").WithName("ListTemplates").WithSummary("Lists the templates with their inputs.");

        var apps = routes.MapGroup("/api/v1/apps").WithTags("Apps");
        apps.MapPost("/", Create).WithName("CreateApp").WithSummary("Makes an app from a template. The answer is the only place where its key can be read.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithRequestExample("""{"template":"story-writer","slug":"my-stories","model":"starter","settings":{"temperature":0.7}}""");
        apps.MapGet("/", List).WithName("ListApps").WithSummary("Lists the apps, the newest first.");
        apps.MapGet("/{slug}", Get).WithName("GetApp").WithSummary("Shows an app.").ProducesProblem(404);
        apps.MapDelete("/{slug}", Delete).WithName("DeleteApp").WithSummary("Ends an app together with its key.").ProducesProblem(404);
        apps.MapPost("/{slug}/invoke", Invoke).WithName("InvokeApp").RequireScope(OwnKey)
            .WithSummary("Uses an app, with its own key or an admin key. With stream the answer comes as server-sent events.")
            .Produces<InvokeReply>()
            .Produces<string>(200, "text/event-stream")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(429)
            .WithRequestExample("""{"inputs":{"opening":"Once upon a time there was a king","length":60},"stream":false}""");
        apps.MapGet("/{slug}/openapi.json", OpenApi).WithName("GetAppOpenApi").RequireScope(OwnKey, Scopes.Read).WithSummary("The OpenAPI document of one app.").Produces<System.Text.Json.JsonElement>().ProducesProblem(404);

        routes.MapGet("/apps/{slug}", Page).AllowAnonymous().ExcludeFromDescription();
    }

    private static Ok<Page<TemplateView>> ListTemplates(
        [StringLength(35), Description("Of titles, labels and help, such as zh-Hans; a template that lacks it answers in English.")] string? language,
        [AsParameters] Paging paging,
        TemplateCatalogue templates)
    {
        var rows = templates.All.AsEnumerable();
        if (paging.After is { } after)
        {
            rows = rows.SkipWhile(t => t.Name != after).Skip(1);
        }

        return TypedResults.Ok(rows.Take(paging.Size + 1).ToList().ToPage(paging.Size, t => t.In(language).ToView(), t => t.Name));
    }

    private static async Task<Created<AppCreated>> Create(AppRequest request, AppStudio studio, ClaimsPrincipal caller, HttpResponse response, CancellationToken cancel)
    {
        var created = await studio.CreateAsync(request, caller.CallerId(), cancel);
        response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api/v1/apps/{created.Slug}", created);
    }

    private static async Task<Ok<Page<AppView>>> List([AsParameters] Paging paging, AppStudio studio, CancellationToken cancel) =>
        TypedResults.Ok(await studio.ListAsync(paging, cancel));

    private static async Task<Ok<AppView>> Get(string slug, AppStudio studio, CancellationToken cancel)
    {
        var (app, template) = await studio.FindAsync(slug, cancel);
        return TypedResults.Ok(app.ToView(template));
    }

    private static async Task<NoContent> Delete(string slug, AppStudio studio, CancellationToken cancel)
    {
        await studio.DeleteAsync(slug, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Invoke(string slug, InvokeRequest request, AppStudio studio, AppRunner runner, HttpContext http, CancellationToken cancel)
    {
        var (app, template) = await studio.FindAsync(slug, cancel);
        var turn = await runner.StartAsync(app, template, request.Inputs, GenerationCaller.Of(http.User), cancel);
        if (request.Stream ?? false)
        {
            return EventStreams.Of(turn.Events(http.RequestAborted), turn);
        }

        await using (turn)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(turn.WholeAsync(cancel)));
        }
    }

    private static async Task<IResult> OpenApi(string slug, AppStudio studio, HttpRequest request, CancellationToken cancel)
    {
        var (app, template) = await studio.FindAsync(slug, cancel);
        return TypedResults.Text(AppOpenApi.Of(app, template, $"{request.Scheme}://{request.Host}{request.PathBase}").ToJsonString(LlmOsJson.Options), "application/json");
    }

    private static async Task<IResult> Page(string slug, AppStudio studio, HttpRequest request, HttpResponse response, CancellationToken cancel)
    {
        var (app, template) = await studio.FindAsync(slug, cancel);
        return AppPage.Of(app, template, PageLanguages.Of(request.Cookies[PageLanguages.Cookie], request.Headers.AcceptLanguage), response);
    }
}
