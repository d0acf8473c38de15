using System.CommandLine;

namespace LlmOs.Cli;

/// <summary>
/// What is done on the machine that holds the data folder, by the server's executable and with its settings
/// (<c>LLMOS_DATA</c>, <c>LLMOS_DATABASE</c>): these commands need no running server and no key.
/// </summary>
internal static class StoreCommands
{
    public static Command CreateBackup() => Create("backup", "Write a backup of the data folder and its database; a server may run meanwhile", "FOLDER", "A new folder");

    public static Command CreateRestore() => Create("restore", "Bring a backup into an empty data folder and database; no server may run there", "FOLDER", "What llmos backup wrote");

    public static Command CreateAdmin()
    {
        var revoke = new Option<bool>("--revoke-others") { Description = "Make all other admin keys worthless" };
        var json = Json();
        var reset = new Command("reset-key", "Make a new admin key for who has lost theirs; on SQLite the server must be stopped") { revoke, json };
        reset.SetAction((parsed, _) => ServerProgram.RunAsync(
            ["admin", "reset-key", .. parsed.GetValue(revoke) ? ["--revoke-others"] : Array.Empty<string>(), .. parsed.GetValue(json) ? ["--json"] : Array.Empty<string>()]));
        return new Command("admin", "Keep the way in open") { reset };
    }

    private static Command Create(string name, string description, string argument, string meaning)
    {
        var folder = new Argument<string>(argument) { Description = meaning };
        var json = Json();
        var command = new Command(name, description) { folder, json };
        command.SetAction((parsed, _) => ServerProgram.RunAsync([name, parsed.GetValue(folder)!, .. parsed.GetValue(json) ? ["--json"] : Array.Empty<string>()]));
        return command;
    }

    private static Option<bool> Json() => new("--json") { Description = "Write the result as JSON" };
}
