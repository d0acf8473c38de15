using System.Text.Json;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Apps.Studio;

/// <summary>Makes apps with their keys, and ends both together.</summary>
internal sealed partial class AppStudio(LlmOsDb db, ApiKeys keys, TemplateCatalogue templates, IGenerationService generation, TimeProvider clock, ILogger<AppStudio> log)
{
    public async Task<AppCreated> CreateAsync(AppRequest request, string? madeBy, CancellationToken cancel)
    {
        var template = templates.Get(request.Template, "template");
        var model = request.Model ?? template.Model;
        await generation.FindAsync(model, ModelNeed.Continuing, "model", cancel);
        if (await db.Apps.AnyAsync(a => a.Slug == request.Slug, cancel))
        {
            throw Taken(request.Slug);
        }

        var key = await keys.CreateAsync($"app {request.Slug}", [Scopes.App(request.Slug)], null, madeBy, cancel);
        var app = new App
        {
            Slug = request.Slug,
            Template = template.Name,
            Model = model,
            Settings = JsonSerializer.Serialize(request.Settings ?? new AppSettings(), LlmOsJson.Options),
            KeyId = key.Id,
            CreatedAt = clock.GetUtcNow(),
        };
        db.Add(app);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (Exception e)
        {
            // The key was stored before the app. Without the app it must not remain.
            await keys.RevokeAsync(key.Id, CancellationToken.None);
            if (e is DbUpdateException failure && failure.IsUniqueViolation())
            {
                throw Taken(request.Slug);
            }

            throw;
        }

        // A key that was made for the slug before there was this app is not meant for it.
        await keys.TakeScopeAsync(Scopes.App(app.Slug), key.Id, CancellationToken.None);
        LogCreated(app.Slug, app.Template);
        return new AppCreated(app.Slug, key.Key, app.Page, app.OpenApi);
    }

    public async Task<(App App, AppTemplate Template)> FindAsync(string slug, CancellationToken cancel)
    {
        var app = await db.Apps.AsNoTracking().SingleOrDefaultAsync(a => a.Slug == slug, cancel) ?? throw LlmOsException.NotFound("app", slug, "/api/v1/apps");
        return (app, templates.Find(app.Template) ?? throw new LlmOsException(ErrorCode.Conflict, $"The app '{slug}' was made from the template '{app.Template}', which is no longer there.")
        {
            Hint = "Put the template's file back and restart the server, or delete the app.",
        });
    }

    /// <summary>The newest first.</summary>
    public async Task<Page<AppView>> ListAsync(Paging paging, CancellationToken cancel)
    {
        var apps = db.Apps.AsNoTracking();
        if (paging.After is { } after)
        {
            var last = await apps.Where(a => a.Slug == after).Select(a => (long?)a.Seq).SingleOrDefaultAsync(cancel) ?? throw paging.UnknownCursor("app");
            apps = apps.Where(a => a.Seq < last);
        }

        return await apps.OrderByDescending(a => a.Seq).ToPageAsync(paging.Size, a => a.ToView(templates.Find(a.Template)), a => a.Slug, cancel);
    }

    /// <summary>Ends an app and its keys. The keys go first: an app without a key is harmless, a key without its app is not.</summary>
    public async Task DeleteAsync(string slug, CancellationToken cancel)
    {
        var app = await db.Apps.AsNoTracking().SingleOrDefaultAsync(a => a.Slug == slug, cancel) ?? throw LlmOsException.NotFound("app", slug, "/api/v1/apps");
        await keys.TakeScopeAsync(Scopes.App(slug), except: null, cancel);
        if (await db.Apps.Where(a => a.Seq == app.Seq).ExecuteDeleteAsync(cancel) == 0)
        {
            throw LlmOsException.NotFound("app", slug, "/api/v1/apps"); // somebody else deleted it at this moment
        }

        LogDeleted(slug);
    }

    private static LlmOsException Taken(string slug) =>
        new(ErrorCode.Conflict, $"There is already an app '{slug}'.") { Field = "slug", Hint = "Choose another slug, or delete that app first." };

    [LoggerMessage(LogLevel.Information, "Made the app {Slug} from {Template}")]
    private partial void LogCreated(string slug, string template);

    [LoggerMessage(LogLevel.Information, "Deleted the app {Slug}")]
    private partial void LogDeleted(string slug);
}
