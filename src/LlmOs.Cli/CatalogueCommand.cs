using System.CommandLine;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos catalogue</c>: well-known open models that can be pulled by their name.</summary>
internal static class CatalogueCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var command = new Command("catalogue", "List well-known open models that 'pull' knows by name");
        command.SetAction((_, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var table = Tables.New("NAME", "PARAMETERS", "DOWNLOAD", "MEMORY", "LICENSE", "SOURCE");
            foreach (var entry in (await client.ListCatalogueAsync(cancel)).Items)
            {
                table.AddRow(
                    Markup.Escape(entry.Name),
                    Sizes.Count(entry.Parameters),
                    Sizes.Bytes(entry.Bytes),
                    Sizes.Bytes(entry.MemoryBytes),
                    Markup.Escape(entry.License),
                    Markup.Escape(entry.Source));
            }

            Tables.Write(table, "The catalogue is empty.");
            return ExitCode.Done;
        }));
        return command;
    }
}
