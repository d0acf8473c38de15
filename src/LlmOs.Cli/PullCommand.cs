using System.CommandLine;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary><c>llmos pull MODEL</c>: fetches a model of the hub, by its name in the catalogue or its repository.</summary>
internal static class PullCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var model = new Argument<string>("MODEL") { Description = "A name of the catalogue (llmos catalogue), or org/name[@revision] of the hub; #file.gguf chooses one file" };
        var name = new Option<string?>("--name") { Description = "Name to store it under (default: the catalogue's, or the repository's in small letters)" };
        var precision = new Option<string?>("--precision") { Description = "f32 (default), f16, int8 or int4" };
        var alias = new Option<string?>("--alias") { Description = "Alias to point at the new version (default latest)" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Print the job's id and do not wait" };
        var command = new Command("pull", "Fetch a model from the Hugging Face hub") { model, name, precision, alias, detach };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var (source, stored) = await FindAsync(client, parsed.GetValue(model)!, cancel);
            var job = await client.ImportAsync(
                new ImportRequest
                {
                    Source = source,
                    Name = parsed.GetValue(name) ?? stored,
                    Precision = parsed.GetValue(precision),
                    Alias = parsed.GetValue(alias),
                },
                cancel);
            return await JobWatch.FollowAsync(client, job, parsed.GetValue(detach), cancel);
        }));
        return command;
    }

    /// <summary>The source that a word means, and the name to store it under.</summary>
    private static async Task<(string Source, string Name)> FindAsync(LlmOsClient client, string model, CancellationToken cancel)
    {
        var word = model.StartsWith("hf:", StringComparison.Ordinal) ? model["hf:".Length..] : model;
        if (word.Contains('/', StringComparison.Ordinal))
        {
            return ("hf:" + word, NameOf(word));
        }

        var catalogue = await client.ListCatalogueAsync(cancel);
        return catalogue.Items.FirstOrDefault(entry => entry.Name == word) is { } found
            ? (found.Source, found.Name)
            : throw new UsageException($"The catalogue has no '{word}': it has {string.Join(", ", catalogue.Items.Select(entry => entry.Name))}. A repository of the hub is named org/name.");
    }

    /// <summary>The repository's own name, in the letters that the registry takes.</summary>
    internal static string NameOf(string repository)
    {
        var name = repository.Split('@', '#')[0].Split('/')[^1].ToLowerInvariant();
        var plain = string.Concat(name.Select(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '-' ? c : '-')).TrimStart('.', '_', '-');
        return plain.Length is 0 or > 64 ? throw new UsageException($"'{repository}' gives no name for the registry; choose one with --name.") : plain;
    }
}
