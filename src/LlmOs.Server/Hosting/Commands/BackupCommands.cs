using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Infrastructure.Storage.Backups;

namespace LlmOs.Server.Hosting.Commands;

/// <summary>Writes a backup; servers may run.</summary>
internal sealed class BackupCommand : ServerCommand
{
    public override string Usage => "backup FOLDER [--json]";

    public override async Task<CommandResult> RunAsync(IServiceProvider services, LlmOsSettings settings, CommandWords words, CancellationToken cancel)
    {
        var report = await services.GetRequiredService<StoreBackup>().WriteAsync(words.Folder!, Progress(TimeProvider.System), cancel);
        return new CommandResult(report, Texts.Of(report, "The backup"), report.Lacking.Count == 0);
    }
}

/// <summary>Brings a backup into an empty data folder and database; no server may run there.</summary>
internal sealed class RestoreCommand : ServerCommand
{
    public override string Usage => "restore FOLDER [--json]";

    public override async Task<CommandResult> RunAsync(IServiceProvider services, LlmOsSettings settings, CommandWords words, CancellationToken cancel)
    {
        using var alone = FolderLock.Take(settings);
        var report = await services.GetRequiredService<StoreRestore>().RunAsync(words.Folder!, Progress(TimeProvider.System), cancel);
        return new CommandResult(report, Texts.Of(report, "The restored store"), report.Lacking.Count == 0);
    }
}

internal static class Texts
{
    public static string Of(BackupReport report, string what)
    {
        var text = $"{what} is in {report.Folder}: {report.Files} files, {DiskSpace.Show(report.Bytes)}.";
        return report.Lacking.Count == 0
            ? text
            : $"{text}\n{report.Lacking.Count} stored files were damaged or gone when the backup was made, and are not in it; import again what they belong to:\n{string.Join('\n', report.Lacking)}";
    }
}
