using System.CommandLine;
using System.Globalization;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos show</c>, <c>cp</c> and <c>rm</c>: one model or version.</summary>
internal static class ModelCommands
{
    public static Command CreateShow(Interrupts interrupts)
    {
        var model = new Argument<string>("MODEL") { Description = "A model, name:3 or name:alias" };
        var card = new Option<bool>("--card") { Description = "Print the model card instead, as Markdown" };
        var command = new Command("show", "Show a model") { model, card };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var found = await client.FindVersionAsync(parsed.GetValue(model)!, cancel);
            if (parsed.GetValue(card))
            {
                Console.Out.WriteLine((await client.GetCardAsync(found.Name, cancel)).Markdown);
                return ExitCode.Done;
            }

            Show(await client.GetVersionAsync(found.Name, found.Version, cancel), await client.GetModelAsync(found.Name, cancel));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command CreateCopy(Interrupts interrupts)
    {
        var source = new Argument<string>("MODEL") { Description = "A model, name:3 or name:alias" };
        var target = new Argument<string>("NAME") { Description = "The model that gets the new version" };
        var command = new Command("cp", "Store a version under another name; the weights are kept once") { source, target };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var found = await client.FindVersionAsync(parsed.GetValue(source)!, cancel);
            var copy = await client.CopyVersionAsync(found.Name, found.Version, new CopyRequest { Name = parsed.GetValue(target)! }, cancel);
            Console.Out.WriteLine(copy.Ref);
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command CreateRemove(Interrupts interrupts)
    {
        var models = new Argument<string[]>("MODEL") { Description = "Models, or versions (name:3)", Arity = ArgumentArity.OneOrMore };
        var command = new Command("rm", "Delete models or versions, unless something refers to them") { models };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            foreach (var model in parsed.GetValue(models)!)
            {
                var at = model.LastIndexOf(':');
                if (at > 0 && int.TryParse(model[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var version))
                {
                    await client.DeleteVersionAsync(model[..at], version, cancel);
                }
                else
                {
                    await client.DeleteModelAsync(model, cancel);
                }

                Console.Out.WriteLine($"deleted {model}");
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static void Show(ModelVersionView version, ModelView model)
    {
        var table = Tables.New("", "");
        table.HideHeaders();
        void Row(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                table.AddRow(name, Markup.Escape(value));
            }
        }

        Row("model", $"{version.Model}:{version.Version}");
        Row("state", version.State.ToWord());
        Row("aliases", string.Join(", ", model.Aliases.Where(a => a.Value == version.Version).Select(a => a.Key)));
        Row("task", version.Task);
        Row("architecture", version.Architecture);
        Row("parameters", Sizes.Count(version.Parameters));
        Row("context", version.ContextLength.ToString(CultureInfo.InvariantCulture));
        Row("vocabulary", version.Vocabulary.ToString(CultureInfo.InvariantCulture));
        Row("precision", version.Precision);
        Row("size", Sizes.Bytes(version.Bytes));
        Row("license", version.License);
        Row("source", version.Lineage.Source);
        Row("parent", version.Lineage.Parent);
        Row("tags", string.Join(", ", version.Tags.Select(t => $"{t.Key}={t.Value}")));
        foreach (var file in version.Files)
        {
            Row("file", $"{file.Path} ({Sizes.Bytes(file.Bytes)})");
        }

        Tables.Write(table, "");
    }
}
