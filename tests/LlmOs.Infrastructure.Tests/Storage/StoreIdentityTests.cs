using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Storage;

/// <summary>A data folder and a database that do not belong together are not used together.</summary>
public sealed class StoreIdentityTests(TestDatabases databases) : IDisposable
{
    private readonly TempFolder _temp = new();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_new_pair_gets_one_id_and_keeps_it(Provider provider)
    {
        var (database, folder) = (await databases.NewAsync(provider), Folder("data"));

        await MatchAsync(database, folder);
        var id = IdOf(folder);
        await MatchAsync(database, folder);

        Assert.Equal(id, IdOf(folder));
        await using var db = database.CreateDbContext();
        Assert.Equal(id, await db.Stores.Select(s => s.Id).SingleAsync());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_folder_of_another_database_is_refused(Provider provider)
    {
        var (mine, yours) = (Folder("mine"), Folder("yours"));
        var (first, second) = (await databases.NewAsync(provider), await databases.NewAsync(provider));
        await MatchAsync(first, mine);
        await MatchAsync(second, yours);

        var refusal = await Assert.ThrowsAsync<SettingException>(() => MatchAsync(second, mine));

        Assert.Equal("LLMOS_DATA", refusal.Setting);
        Assert.Contains(IdOf(mine), refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_database_in_which_nothing_is_does_not_get_a_folder_that_holds_files(Provider provider)
    {
        var folder = Folder("data");
        var files = await FilesAsync(folder, 3);
        var fresh = await databases.NewAsync(provider);

        Assert.Throws<SettingException>(() => Identity(fresh, folder).RequireFolderForNewDatabase());
        await Assert.ThrowsAsync<SettingException>(() => MatchAsync(fresh, folder)); // as when a start was cut off after the migrations
        Assert.All(files, file => Assert.True(new ArtifactStore(folder).Contains(file)));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_folder_from_before_there_were_ids_is_taken_by_the_database_that_refers_to_its_files(Provider provider)
    {
        var (database, folder) = (await databases.NewAsync(provider), Folder("data"));
        await ReferAsync(database, await FilesAsync(folder, 3));

        await MatchAsync(database, folder);

        Assert.Equal(32, IdOf(folder).Length);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_folder_of_which_the_database_knows_little_is_refused(Provider provider)
    {
        var (database, folder) = (await databases.NewAsync(provider), Folder("data"));
        await ReferAsync(database, (await FilesAsync(folder, 5))[..2]);

        await Assert.ThrowsAsync<SettingException>(() => MatchAsync(database, folder));
    }

    [Fact]
    public async Task A_second_host_with_a_folder_of_its_own_is_refused()
    {
        var database = await databases.NewAsync(Provider.Postgres);
        await MatchAsync(database, Folder("shared"));

        var refusal = await Assert.ThrowsAsync<SettingException>(() => MatchAsync(database, Folder("own")));

        Assert.Contains("All hosts of one database share one data folder", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_file_of_the_id_is_written_again_where_it_was_lost()
    {
        var (database, folder) = (await databases.NewAsync(Provider.Sqlite), Folder("data"));
        await ReferAsync(database, await FilesAsync(folder, 3));
        await MatchAsync(database, folder);
        var id = IdOf(folder);
        File.Delete(Path.Combine(folder.Root, StoreIdentity.FileName));

        await MatchAsync(database, folder);

        Assert.Equal(id, IdOf(folder));
    }

    private DataFolder Folder(string name) => new(_temp.At(name));

    private static StoreIdentity Identity(TestDatabase database, DataFolder folder) =>
        new(folder, new ArtifactStore(folder), database.Settings, TimeProvider.System);

    private static async Task MatchAsync(TestDatabase database, DataFolder folder)
    {
        await using var db = database.CreateDbContext();
        await Identity(database, folder).MatchAsync(db, CancellationToken.None);
    }

    private static string IdOf(DataFolder folder) => File.ReadAllText(Path.Combine(folder.Root, StoreIdentity.FileName)).Trim();

    private static async Task<string[]> FilesAsync(DataFolder folder, int count)
    {
        using var store = new ArtifactStore(folder);
        List<string> files = [];
        for (var i = 0; i < count; i++)
        {
            files.Add((await store.PutAsync(new MemoryStream(Encoding.UTF8.GetBytes($"file {i}")), CancellationToken.None)).Sha256);
        }

        return [.. files];
    }

    private static async Task ReferAsync(TestDatabase database, string[] files)
    {
        await using var db = database.CreateDbContext();
        db.AddRange(files.Select((file, index) => new Upload
        {
            Id = $"upload_{index}",
            FileName = "f",
            Bytes = 6,
            Sha256 = file,
            State = UploadState.Finished,
            CreatedAt = TimeProvider.System.GetUtcNow(),
            TouchedAt = TimeProvider.System.GetUtcNow(),
        }));
        await db.SaveChangesAsync();
    }
}
