using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Access;

public sealed class UsersTests(TestDatabases databases)
{
    private const string Password = "correct horse battery";
    private readonly FakeClock _clock = new();
    private WrongSecrets? _made;

    private WrongSecrets Wrong => _made ??= new WrongSecrets(_clock);

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_user_signs_in_with_the_password_which_is_not_stored(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var users = new Users(database, Wrong, _clock);

        var made = await users.CreateAsync(Ada(), CancellationToken.None);
        var caller = await users.SignInAsync("ada", Password, CancellationToken.None);

        Assert.Equal(["inference", "read"], made.Scopes);
        Assert.Equal("ada", caller?.Name);
        Assert.Matches("^user_[0-9a-f]{12}$", caller!.KeyId);
        Assert.Equal(["inference", "read"], caller.Scopes);
        await using var db = database.CreateDbContext();
        var row = await db.Users.SingleAsync();
        Assert.DoesNotContain("horse", $"{row.PasswordHash}{row.Stamp}{row.Id}{row.Scopes}", StringComparison.Ordinal);
        Assert.Equal(_clock.GetUtcNow(), row.LastSignInAt);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_name_is_given_once_whatever_its_capitals(Provider provider)
    {
        var users = new Users(await databases.NewAsync(provider), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => users.CreateAsync(Ada() with { Name = " ADA" }, CancellationToken.None));

        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        Assert.NotNull(await users.SignInAsync("Ada", Password, CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_else_signs_in()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);

        Assert.Null(await users.SignInAsync("ada", Password + " ", CancellationToken.None));
        Assert.Null(await users.SignInAsync("ada", "", CancellationToken.None));
        Assert.Null(await users.SignInAsync("ada", new string('x', 100_000), CancellationToken.None));
        Assert.Null(await users.SignInAsync("eve", Password, CancellationToken.None));
        Assert.Null(await users.SignInAsync("", Password, CancellationToken.None));
        Assert.Null(await users.SignInAsync("\uFFFE", Password, CancellationToken.None));
    }

    [Theory]
    [InlineData("me")]
    [InlineData("ME")]
    [InlineData("-ada")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\u202Eb")]
    [InlineData("a\uFFFE")]
    [InlineData("a\uD800")]
    public async Task A_name_that_could_be_mistaken_is_refused(string name)
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => users.CreateAsync(Ada() with { Name = name }, CancellationToken.None));

        Assert.Equal("name", refusal.Field);
    }

    [Fact]
    public async Task Names_of_any_script_and_addresses_are_accepted()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);

        Assert.Equal("王小明", (await users.CreateAsync(Ada() with { Name = "王小明" }, CancellationToken.None)).Name);
        Assert.Equal("ada@example.org", (await users.CreateAsync(Ada() with { Name = "Ada@Example.org" }, CancellationToken.None)).Name);
    }

    [Fact]
    public async Task A_scope_that_does_not_exist_is_refused()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => users.CreateAsync(Ada() with { Scopes = ["root"] }, CancellationToken.None));

        Assert.Equal("scopes", refusal.Field);
    }

    public static TheoryData<string> Changes => ["password", "scopes", "disabled", "own password", "deleted"];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_session_ends_when_its_user_is_changed(string what)
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);
        var session = (await users.SignInAsync("ada", Password, CancellationToken.None))!;
        Assert.NotNull(await users.FindAsync(session.KeyId, session.Stamp, CancellationToken.None));

        await (what switch
        {
            "password" => users.ChangeAsync("ada", new ChangeUserRequest { Password = "another password" }, CancellationToken.None),
            "scopes" => users.ChangeAsync("ada", new ChangeUserRequest { Scopes = ["read"] }, CancellationToken.None),
            "disabled" => users.ChangeAsync("ada", new ChangeUserRequest { Disabled = true }, CancellationToken.None),
            "own password" => users.ChangePasswordAsync(session.KeyId, new ChangePasswordRequest { CurrentPassword = Password, NewPassword = "another password" }, CancellationToken.None),
            _ => users.DeleteAsync("ada", null, CancellationToken.None),
        });

        Assert.Null(await users.FindAsync(session.KeyId, session.Stamp, CancellationToken.None));
        Assert.Null(await users.FindAsync(session.KeyId, null, CancellationToken.None));
    }

    [Fact]
    public async Task A_disabled_user_signs_in_again_once_enabled()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);

        await users.ChangeAsync("ada", new ChangeUserRequest { Disabled = true }, CancellationToken.None);
        Assert.Null(await users.SignInAsync("ada", Password, CancellationToken.None));

        var back = await users.ChangeAsync("ada", new ChangeUserRequest { Disabled = false }, CancellationToken.None);
        Assert.Null(back.DisabledAt);
        Assert.NotNull(await users.SignInAsync("ada", Password, CancellationToken.None));
    }

    [Fact]
    public async Task The_own_password_changes_only_for_who_knows_it()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);
        var session = (await users.SignInAsync("ada", Password, CancellationToken.None))!;

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
            users.ChangePasswordAsync(session.KeyId, new ChangePasswordRequest { CurrentPassword = "guess", NewPassword = "another password" }, CancellationToken.None));
        Assert.Equal("current_password", refusal.Field);
        Assert.NotNull(await users.SignInAsync("ada", Password, CancellationToken.None));

        await users.ChangePasswordAsync(session.KeyId, new ChangePasswordRequest { CurrentPassword = Password, NewPassword = "another password" }, CancellationToken.None);
        Assert.Null(await users.SignInAsync("ada", Password, CancellationToken.None));
        Assert.NotNull(await users.SignInAsync("ada", "another password", CancellationToken.None));
    }

    [Fact]
    public async Task Whoever_guesses_the_own_password_has_to_wait_and_others_do_not()
    {
        var users = new Users(await databases.NewAsync(Provider.Sqlite), Wrong, _clock);
        await users.CreateAsync(Ada(), CancellationToken.None);
        await users.CreateAsync(Ada() with { Name = "grace" }, CancellationToken.None);
        var (ada, grace) = ((await users.SignInAsync("ada", Password, CancellationToken.None))!, (await users.SignInAsync("grace", Password, CancellationToken.None))!);
        for (var i = 0; i < CallerCheck.PasswordsAMinute; i++)
        {
            await Assert.ThrowsAsync<LlmOsException>(() =>
                users.ChangePasswordAsync(ada.KeyId, new ChangePasswordRequest { CurrentPassword = $"guess {i}", NewPassword = "another password" }, CancellationToken.None));
        }

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
            users.ChangePasswordAsync(ada.KeyId, new ChangePasswordRequest { CurrentPassword = Password, NewPassword = "another password" }, CancellationToken.None));
        await users.ChangePasswordAsync(grace.KeyId, new ChangePasswordRequest { CurrentPassword = Password, NewPassword = "another password" }, CancellationToken.None);

        Assert.Equal(ErrorCode.Overloaded, refusal.Code);
    }

    private static CreateUserRequest Ada() => new() { Name = "Ada", Password = Password };
}
