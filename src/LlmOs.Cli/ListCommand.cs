using System.CommandLine;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos list</c>: the models of the server, at the version that their name answers with.</summary>
internal static class ListCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var command = new Command("list", "List the models") { Aliases = { "ls" } };
        command.SetAction((_, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var table = Tables.New("NAME", "VERSION", "TASK", "PARAMETERS", "CONTEXT", "SIZE", "STATE");
            string? after = null;
            do
            {
                var page = await client.ListModelsAsync(after, cancel);
                foreach (var model in page.Items)
                {
                    await AddAsync(table, client, model, cancel);
                }

                after = page.Next;
            }
            while (after is not null);

            Tables.Write(table, "There are no models yet: import one with 'llmos import', or train one with 'llmos train'.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task AddAsync(Table table, LlmOsClient client, ModelView model, CancellationToken cancel)
    {
        if (!model.Aliases.TryGetValue("latest", out var version) && model.Versions.Count == 0)
        {
            table.AddRow(Markup.Escape(model.Name), "-", "-", "-", "-", "-", "-");
            return;
        }

        var view = await client.GetVersionAsync(model.Name, version > 0 ? version : model.Versions.Max(), cancel);
        table.AddRow(
            Markup.Escape(view.Model),
            $"{view.Version}",
            Markup.Escape(view.Task),
            Sizes.Count(view.Parameters),
            $"{view.ContextLength}",
            Sizes.Bytes(view.Bytes),
            view.State.ToWord());
    }
}
