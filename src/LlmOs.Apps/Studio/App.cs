using System.Text.Json;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Apps.Studio;

/// <summary>Somebody's app: a template, a model and the settings that differ. It never changes; to change it, make another.</summary>
internal sealed class App
{
    /// <summary>Order of creation.</summary>
    public long Seq { get; set; }

    /// <summary>Its name in addresses.</summary>
    public required string Slug { get; init; }

    public required string Template { get; init; }

    /// <summary>A model string, resolved at each use: an alias that moves moves the app along.</summary>
    public required string Model { get; init; }

    /// <summary>JSON of <see cref="AppSettings"/>.</summary>
    public required string Settings { get; init; }

    /// <summary>The key that was made with it and goes with it.</summary>
    public required string KeyId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public string Page => $"/apps/{Slug}";

    public string OpenApi => $"/api/v1/apps/{Slug}/openapi.json";

    public AppSettings ReadSettings() => JsonSerializer.Deserialize<AppSettings>(Settings, LlmOsJson.Options)!;

    /// <param name="template">Null: it is no longer there. The app can be seen and deleted, but not used.</param>
    public AppView ToView(AppTemplate? template) => new(Slug, Template, template?.Title ?? Template, Model, ReadSettings(), Page, OpenApi, CreatedAt);
}

internal sealed class AppTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<App>(app =>
    {
        app.ToTable("apps");
        app.HasKey(a => a.Seq);
        app.HasIndex(a => a.Slug).IsUnique();
        app.Property(a => a.Slug).HasMaxLength(63);
        app.Property(a => a.Template).HasMaxLength(64);
        app.Property(a => a.Model).HasMaxLength(200);
        app.Property(a => a.KeyId).HasMaxLength(40);
        app.Ignore(a => a.Page);
        app.Ignore(a => a.OpenApi);
    });
}

internal static class AppQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<App> Apps => db.Set<App>();
    }
}
