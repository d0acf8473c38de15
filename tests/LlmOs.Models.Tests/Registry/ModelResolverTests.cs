using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Tests.Registry;

/// <summary>A model string is read in the published order, and the first reading that is stored wins.</summary>
public sealed class ModelResolverTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await RegistryWorld.CreateAsync();
        await _world.PublishAsync(RegistryWorld.Version("plain"));
        await _world.PublishAsync(RegistryWorld.Version("plain"));
        await _world.PublishAsync(RegistryWorld.Version("plain", alias: "beta"));
        await _world.PublishAsync(RegistryWorld.Version("org/name"));
        await _world.PublishAsync(RegistryWorld.Version("hidden", alias: null));
        await _world.PublishAsync(RegistryWorld.Version("ft:plain:p:s:7"));
        await _world.PublishAsync(RegistryWorld.Version("ft:plain:p:s:7"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("plain", "plain:2")]
    [InlineData("plain@beta", "plain:3")]
    [InlineData("plain@latest", "plain:2")]
    [InlineData("plain:1", "plain:1")]
    [InlineData("plain:beta", "plain:3")]
    [InlineData("plain:latest", "plain:2")]
    [InlineData("org/name", "org/name:1")]
    [InlineData("org/name:latest", "org/name:1")]
    [InlineData("org/name@latest", "org/name:1")]
    [InlineData("hidden:1", "hidden:1")]
    [InlineData("ft:plain:p:s:7", "ft:plain:p:s:7:2")]
    [InlineData("ft:plain:p:s:7:1", "ft:plain:p:s:7:1")]
    [InlineData("ft:plain:p:s:7:latest", "ft:plain:p:s:7:2")]
    [InlineData("ft:plain:p:s:7@latest", "ft:plain:p:s:7:2")]
    public async Task A_model_string_finds_its_version(string asked, string expected)
    {
        await using var db = await _world.DbAsync();

        var found = await ModelResolver.ResolveAsync(db, asked, CancellationToken.None);

        Assert.Equal(expected, found.Ref);
        Assert.Single(found.Files);
    }

    [Theory]
    [InlineData("nothing", "There is no model 'nothing'.")]
    [InlineData("nothing:3", "There is no model 'nothing:3'.")]
    [InlineData("", "There is no model ''.")]
    [InlineData("PLAIN", "There is no model 'PLAIN'.")]
    [InlineData("plain:", "There is no model 'plain:'.")]
    [InlineData("plain/", "There is no model 'plain/'.")]
    [InlineData("import", "There is no model 'import'.")]
    [InlineData("plain:9", "The model 'plain' has no version 9; it has 1, 2, 3.")]
    [InlineData("plain:0", "The model 'plain' has no version 0; it has 1, 2, 3.")]
    [InlineData("plain:99999999999999999999", "There is no model 'plain:99999999999999999999'.")]
    [InlineData("plain@gone", "The model 'plain' has no alias 'gone'; it has beta, latest.")]
    [InlineData("plain:gone", "The model 'plain' has no alias 'gone'; it has beta, latest.")]
    [InlineData("hidden", "The model 'hidden' has no alias 'latest'; it has none.")]
    [InlineData("plain+lora", "There is no adapter 'lora' for the model 'plain:2'.")]
    [InlineData("plain:beta+lora", "There is no adapter 'lora' for the model 'plain:3'.")]
    [InlineData("nothing+lora", "There is no model 'nothing'.")]
    [InlineData("pl\0ain\n", "There is no model 'pl\uFFFDain\uFFFD'.")]
    public async Task What_is_not_there_is_named(string asked, string message)
    {
        await using var db = await _world.DbAsync();

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ModelResolver.ResolveAsync(db, asked, CancellationToken.None));

        Assert.Equal((ErrorCode.ModelNotFound, message), (refusal.Code, refusal.Message));
    }

    [Theory]
    [InlineData("a", "a@latest")]
    [InlineData("a@b", "a@b")]
    [InlineData("a:7", "a:7")]
    [InlineData("a:b", "a@b")]
    [InlineData("ft:a:b:c:7", "ft:a:b:c:7@latest")]
    [InlineData("ft:a:b:c:d:7", "ft:a:b:c:d:7")]
    [InlineData("ft:a@1:b:c:d@x", "ft:a@1:b:c:d@x")]
    public void Readings_come_in_the_published_order(string asked, string expected) =>
        Assert.Equal(expected, string.Join(' ', ModelResolver.Read(asked).Select(c => c.Number is { } n ? $"{c.Name}:{n}" : $"{c.Name}@{c.Alias}")));
}
