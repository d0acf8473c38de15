using System.CommandLine;
using System.Globalization;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos ps</c>, <c>load</c> and <c>stop</c>: what is in the server's memory.</summary>
internal static class RunningCommands
{
    public static Command CreateList(Interrupts interrupts)
    {
        var json = Json();
        var command = new Command("ps", "List the models in memory") { json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
            Write(await client.ListRunningAsync(cancel), parsed.GetValue(json))));
        return command;
    }

    public static Command CreateLoad(Interrupts interrupts)
    {
        var model = Model();
        var keep = new Option<double?>("--keep-alive") { Description = "Seconds that it stays while nobody uses it; -1: until its memory is needed" };
        var pin = new Option<bool?>("--pin") { Description = "Keep it however much memory other models need; '--pin false' ends that" };
        var json = Json();
        var command = new Command("load", "Load a model before it is asked for") { model, keep, pin, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) => Write(
            await client.LoadModelAsync(parsed.GetValue(model)!, new LoadRequest { KeepAlive = parsed.GetValue(keep), Pinned = parsed.GetValue(pin) }, cancel),
            parsed.GetValue(json))));
        return command;
    }

    public static Command CreateStop(Interrupts interrupts)
    {
        var model = Model();
        var json = Json();
        var command = new Command("stop", "Unload a model as soon as no request holds it") { model, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
            Write(await client.UnloadModelAsync(parsed.GetValue(model)!, cancel), parsed.GetValue(json))));
        return command;
    }

    private static Argument<string> Model() => new("MODEL") { Description = "A model, name:3 or name:alias" };

    private static Option<bool> Json() => new("--json") { Description = "Print what the server answers" };

    private static int Write(Page<RunningModel> running, bool asJson)
    {
        if (asJson)
        {
            JsonOutput.Write(running);
            return ExitCode.Done;
        }

        var table = Tables.New("MODEL", "STATE", "SIZE", "KV", "REQUESTS", "IDLE", "UNTIL");
        foreach (var model in running.Items)
        {
            table.AddRow(
                Markup.Escape($"{model.Model}:{model.Version}"),
                model.State == RunningState.Loading ? string.Create(CultureInfo.InvariantCulture, $"loading {model.Progress:P0}") : model.State.ToWord(),
                Sizes.Bytes(model.Bytes),
                Sizes.Bytes(model.KvBytes),
                $"{model.Streams}",
                Sizes.Duration(model.IdleSeconds),
                model.Pinned ? "pinned" : model.ExpiresAt is { } at ? at.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture) : "its memory is needed");
        }

        Tables.Write(table, "No model is in memory. The first request loads one, as does 'llmos load'.");
        return ExitCode.Done;
    }
}
