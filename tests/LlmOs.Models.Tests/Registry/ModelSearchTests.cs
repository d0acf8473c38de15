using LlmOs.Infrastructure.Http;
using LlmOs.Models.Registry;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tests.Registry;

/// <summary>What a row of the list of models shows, however many versions and aliases the model has.</summary>
public sealed class ModelSearchTests(PostgresServer postgres)
{
    private const int Versions = 130;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_of_many_versions_and_aliases_names_the_newest_and_what_latest_points_at(bool onPostgres)
    {
        await using var world = await RegistryWorld.CreateAsync(onPostgres ? await postgres.NewDatabaseAsync() : null);
        for (var i = 0; i < Versions; i++)
        {
            await world.PublishAsync(RegistryWorld.Version("m") with { Parameters = i + 1 });
        }

        await world.PublishAsync(RegistryWorld.Version("n"));
        await using var db = await world.DbAsync();
        var model = await db.Models.SingleAsync(m => m.Name == "m", Cancel);
        db.AddRange(Enumerable.Range(0, 300).Select(i => new ModelAlias { ModelId = model.Id, Name = $"a{i:000}", Version = 1, UpdatedAt = DateTimeOffset.UnixEpoch }));
        await db.SaveChangesAsync(Cancel);
        await db.ModelAliases.Where(a => a.ModelId == model.Id && a.Name == ModelAlias.Latest).ExecuteUpdateAsync(set => set.SetProperty(a => a.Version, 3), Cancel);

        var page = await ModelSearch.PageAsync(db, new ModelQuery(null, null, null, Archived: false), new Paging(), Cancel);

        Assert.Equal(["m", "n"], page.Items.Select(row => row.Name));
        var many = page.Items[0];
        Assert.Equal(Enumerable.Range(Versions - ModelSearch.MaxVersions + 1, ModelSearch.MaxVersions), many.Versions);
        Assert.Equal((3, 3L), (many.Latest!.Version, many.Latest.Parameters));
        Assert.Equal((100, 3), (many.Aliases.Count, many.Aliases[ModelAlias.Latest]));
        Assert.Equal(1, page.Items[1].Latest!.Version);
    }

    [Fact]
    public async Task Without_the_alias_latest_the_newest_version_is_shown()
    {
        await using var world = await RegistryWorld.CreateAsync();
        await world.PublishAsync(RegistryWorld.Version("m"));
        await world.PublishAsync(RegistryWorld.Version("m"));
        await using var db = await world.DbAsync();
        await db.ModelAliases.ExecuteDeleteAsync(Cancel);

        var (view, _) = await ModelSearch.FindAsync(db, "m", Cancel);

        Assert.Equal(2, view.Latest!.Version);
    }
}
