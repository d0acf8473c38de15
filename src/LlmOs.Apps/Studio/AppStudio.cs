using System.Text.Json;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Apps.Studio;

/// <summary>Makes apps with their keys, and ends both together.</summary>
internal sealed partial class AppStudio(LlmOsDb db, ApiKeys keys, TemplateCatalogue templates, IGenerationService generation, TimeProvider clock, ILogger<AppStudio> log)
{
    public async Task<AppCreated> CreateAsync(AppRequest request, CancellationToken cancel)
    {
        var template = templates.Get(request.Template, "template");
        var model = request.Model ?? template.Model;
        await generation.FindAsync(model, ModelNeed.Continuing, "model", cancel);
        if (await db.Apps.AnyAsync(a => a.Slug == request.Slug, cancel))
        {
            throw Taken(request.Slug);
        }

        var key = await keys.CreateAsync($"app {request.Slug}", [Scopes.App(request.Slug)], null, cancel);
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
            // The key was stored on its own; without its app it must not live on.
            await keys.RevokeAsync(key.Id, CancellationToken.None);
            if (e is DbUpdateException failure && failure.IsUniqueViolation())
            {
                throw Taken(request.Slug);
            }

            throw;
        }

        LogCreated(app.Slug, app.Template);
        return new AppCreated(app.Slug, key.Key, app.Page, app.OpenApi);
    }

    public async Task<(App App, AppTemplate Template)> FindAsync(string slug, CancellationToken cancel)
    {
        var app = await db.Apps.AsNoTracking().SingleOrDefaultAsync(a => a.Slug == slug, cancel) ?? throw LlmOsException.NotFound("app", slug);
        return (app, templates.Get(app.Template, "template"));
    }

    /// <summary>The newest first.</summary>
    public async Task<Page<AppView>> ListAsync(int? limit, string? after, CancellationToken cancel)
    {
        var apps = db.Apps.AsNoTracking();
        if (after is not null)
        {
            var last = await apps.Where(a => a.Slug == after).Select(a => (long?)a.Seq).SingleOrDefaultAsync(cancel)
                ?? throw LlmOsException.Invalid("after", $"There is no app '{after}'; send the next of the page before.");
            apps = apps.Where(a => a.Seq < last);
        }

        var size = limit ?? 50;
        var rows = await apps.OrderByDescending(a => a.Seq).Take(size + 1).ToListAsync(cancel);
        var page = rows.Take(size).Select(a => a.ToView(templates.Get(a.Template, "template"))).ToList();
        return new Page<AppView>(page, rows.Count > size ? page[^1].Slug : null);
    }

    /// <summary>Ends an app and its key. The key goes first: an app without a key is harmless, a key without its app is not.</summary>
    public async Task DeleteAsync(string slug, CancellationToken cancel)
    {
        var app = await db.Apps.SingleOrDefaultAsync(a => a.Slug == slug, cancel) ?? throw LlmOsException.NotFound("app", slug);
        try
        {
            await keys.RevokeAsync(app.KeyId, cancel);
        }
        catch (LlmOsException e) when (e.Code == ErrorCode.NotFound)
        {
            // It was revoked by hand before.
        }

        db.Remove(app);
        await db.SaveChangesAsync(cancel);
        LogDeleted(slug);
    }

    private static LlmOsException Taken(string slug) =>
        new(ErrorCode.Conflict, $"There is already an app '{slug}'.") { Field = "slug", Hint = "Choose another slug, or delete that app first." };

    [LoggerMessage(LogLevel.Information, "Made the app {Slug} from {Template}")]
    private partial void LogCreated(string slug, string template);

    [LoggerMessage(LogLevel.Information, "Deleted the app {Slug}")]
    private partial void LogDeleted(string slug);
}
