using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Server.Hosting.Commands;

/// <summary>Makes an admin key for who holds the data folder and has lost theirs.</summary>
internal sealed class ResetKeyCommand : ServerCommand
{
    public override string Usage => "admin reset-key [--revoke-others] [--json]";

    public override async Task<CommandResult> RunAsync(IServiceProvider services, LlmOsSettings settings, CommandWords words, CancellationToken cancel)
    {
        // On SQLite a running server remembers keys for a while; with the lock there is none.
        using var alone = FolderLock.Take(settings);
        await using var db = await services.GetRequiredService<IDbContextFactory<LlmOsDb>>().CreateDbContextAsync(cancel);
        if (!(await db.Database.GetAppliedMigrationsAsync(cancel)).SequenceEqual(db.Database.GetMigrations()))
        {
            throw new LlmOsException(ErrorCode.Conflict, "The database is not there, or not of the version of this program.") { Hint = "Start the server on it once, then run this again." };
        }

        var made = await services.GetRequiredService<ApiKeys>().MakeAdminAsync(words.Options.Contains("--revoke-others"), cancel);
        return new CommandResult(
            made,
            $"Admin key  {made.Key}\n           (shown this once; keep it)\n{(made.OtherAdminKeys == 0 ? "There is no other admin key." : $"{made.OtherAdminKeys} other admin keys still work; --revoke-others revokes them.")}");
    }
}
