using LlmOs.Models.Registry;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Registry;

public sealed class StarterRegistrationTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task The_starter_is_listed_once_with_its_card_and_parity()
    {
        var folder = Starter(seed: 1);

        var first = await RegisterAsync(folder);
        var again = await RegisterAsync(folder);

        await using var db = await _world.DbAsync();
        var view = (await VersionEndpoints.FindAsync("starter", 1, db, CancellationToken.None)).ToView();
        Assert.Equal(("starter:1", null), (first?.Ref, again?.Ref));
        Assert.Equal(new(32, 2.5e-6, null), view.Parity);
        Assert.Contains(view.Files, f => f.Path == "README.md");
        Assert.Equal("mit", view.License);
    }

    [Fact]
    public async Task The_starter_that_is_shipped_shows_the_figures_of_the_job_that_made_it()
    {
        var folder = Path.Combine(SharedFolder.Repository, "models", "starter");

        await RegisterAsync(folder);

        await using var db = await _world.DbAsync();
        var view = (await VersionEndpoints.FindAsync("starter", 1, db, CancellationToken.None)).ToView();
        Assert.Equal(32, view.Parity?.Prompts);
        Assert.InRange(view.Parity!.MaxAbsDiff, 1e-9, 1e-3);
        Assert.Equal(3000, Assert.Single(view.Metrics).GetProperty("steps").GetInt32());
        Assert.InRange(new FileInfo(Path.Combine(folder, "model.safetensors")).Length, 1, 5_000_000);
    }

    [Fact]
    public async Task A_newer_starter_becomes_the_next_version()
    {
        await RegisterAsync(Starter(seed: 1));

        var newer = await RegisterAsync(Starter(seed: 2));

        Assert.Equal("starter:2", newer?.Ref);
    }

    [Fact]
    public async Task A_server_without_a_starter_lists_nothing() => Assert.Null(await RegisterAsync(null));

    [Fact]
    public void The_folder_is_found_beside_the_executable_or_up_the_tree()
    {
        var deep = Directory.CreateDirectory(Path.Combine(_world.Folder.Root, "a", "b", "c")).FullName;
        Assert.Null(StarterRegistration.FindFolder(deep));

        var up = Path.Combine(_world.Folder.Root, "a", "models", "starter");
        TinyModel.Write(up, seed: 1);
        Assert.Equal(up, StarterRegistration.FindFolder(deep));

        var beside = Path.Combine(deep, "starter");
        TinyModel.Write(beside, seed: 1);
        Assert.Equal(beside, StarterRegistration.FindFolder(deep));
    }

    private Task<Contracts.ModelJobResult?> RegisterAsync(string? folder) =>
        _world.Get<StarterRegistration>().RegisterAsync(folder, CancellationToken.None);

    private string Starter(int seed)
    {
        var folder = Path.Combine(_world.Folder.Root, $"starter-{seed}");
        TinyModel.Write(folder, seed);
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nlicense: mit\n---\n# Starter\n");
        File.WriteAllText(Path.Combine(folder, "parity.json"), """{"prompts":32,"max_abs_diff":2.5e-6}""");
        return folder;
    }
}
