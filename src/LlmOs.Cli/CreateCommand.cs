using System.CommandLine;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary><c>llmos create NAME -f Modelfile</c>: a model made of another one, with texts of its own beside the weights.</summary>
internal static class CreateCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var name = new Argument<string>("NAME") { Description = "Name to store it under" };
        var file = new Option<string>("--file", "-f") { Description = "The Modelfile", DefaultValueFactory = _ => "Modelfile" };
        var command = new Command("create", "Make a model by a Modelfile") { name, file };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path))
            {
                throw new UsageException($"There is no file '{path}'.");
            }

            var recipe = Modelfile.Parse(await File.ReadAllTextAsync(path, cancel));
            return await MakeAsync(client, parsed.GetValue(name)!, recipe, Path.GetDirectoryName(Path.GetFullPath(path))!, cancel);
        }));
        return command;
    }

    private static async Task<int> MakeAsync(LlmOsClient client, string name, Modelfile recipe, string folder, CancellationToken cancel)
    {
        var (model, version) = await BaseAsync(client, name, recipe.From, folder, cancel);
        var files = new Dictionary<string, string>();
        if (recipe.License is { } license)
        {
            files["LICENSE"] = license;
        }

        if (recipe.Template is not null || recipe.System is not null)
        {
            var template = recipe.Template ?? await OwnTemplateAsync(client, model, version, cancel);
            files["chat_template.jinja"] = recipe.System is { } system ? WithSystem(template, system) : template;
        }

        var made = await client.CopyVersionAsync(model, version, new CopyRequest { Name = name, Files = files.Count == 0 ? null : files }, cancel);
        Console.Out.WriteLine($"{made.Ref} is ready: llmos run {made.Ref}");
        return ExitCode.Done;
    }

    /// <summary>The version to start from: a stored one, or what is imported under the same name first.</summary>
    private static async Task<(string Model, int Version)> BaseAsync(LlmOsClient client, string name, string from, string folder, CancellationToken cancel)
    {
        var source = ImportCommand.Locate(from, folder);
        if (!source.StartsWith("file:", StringComparison.Ordinal) && !source.StartsWith("hf:", StringComparison.Ordinal) && !source.StartsWith("https:", StringComparison.Ordinal))
        {
            return await client.FindVersionAsync(from, cancel);
        }

        var job = await client.ImportAsync(new ImportRequest { Source = source, Name = name, Alias = "imported" }, cancel);
        if (await JobWatch.FollowAsync(client, job, detach: false, cancel) != ExitCode.Done)
        {
            throw new UsageException($"FROM {from} could not be imported.");
        }

        var result = (await client.GetJobAsync(job.Id, 0, cancel)).Result!.Value.Deserialize<ModelJobResult>(LlmOsJson.Options)!;
        return (result.Model, result.Version);
    }

    private static async Task<string> OwnTemplateAsync(LlmOsClient client, string model, int version, CancellationToken cancel)
    {
        var files = (await client.GetVersionAsync(model, version, cancel)).Files.Select(f => f.Path).ToHashSet(StringComparer.Ordinal);
        if (files.Contains("chat_template.jinja"))
        {
            return await client.ReadFileAsync(model, version, "chat_template.jinja", cancel);
        }

        if (files.Contains("tokenizer_config.json"))
        {
            using var config = JsonDocument.Parse(await client.ReadFileAsync(model, version, "tokenizer_config.json", cancel));
            if (config.RootElement.TryGetProperty("chat_template", out var template) && template.ValueKind == JsonValueKind.String)
            {
                return template.GetString()!;
            }
        }

        throw new UsageException($"SYSTEM: {model}:{version} has no chat template that could say it; give one with TEMPLATE.");
    }

    /// <summary>Puts the text before conversations that do not begin with instructions of their own.</summary>
    private static string WithSystem(string template, string system)
    {
        var quoted = "'" + system.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "'";
        return "{%- if not messages or messages[0]['role'] != 'system' -%}{%- set messages = [{'role': 'system', 'content': " + quoted + "}] + messages -%}{%- endif -%}" + template;
    }
}
