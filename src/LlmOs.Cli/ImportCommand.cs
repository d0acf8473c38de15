using System.CommandLine;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary><c>llmos import SOURCE --name NAME</c>.</summary>
internal static class ImportCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var source = new Argument<string>("SOURCE") { Description = "A folder or file on the server's machine (beneath LLMOS_IMPORT_DIRS), or hf:org/name, https:..., upload:id" };
        var name = new Option<string>("--name") { Description = "Name to store it under", Required = true };
        var precision = new Option<string?>("--precision") { Description = "f32 (default), f16, int8 or int4" };
        var alias = new Option<string?>("--alias") { Description = "Alias to point at the new version (default latest)" };
        var baseModel = new Option<string?>("--base") { Description = "For a PEFT adapter: the stored model that it is merged into" };
        var upload = new Option<bool>("--upload") { Description = "Send a file of this machine to the server first; an upload that was cut goes on" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Print the job's id and do not wait" };
        var command = new Command("import", "Make a model of published files") { source, name, precision, alias, baseModel, upload, detach };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var from = Locate(parsed.GetValue(source)!, Directory.GetCurrentDirectory());
            var job = await client.ImportAsync(
                new ImportRequest
                {
                    Source = parsed.GetValue(upload) ? "upload:" + await UploadFile.SendAsync(client, from, cancel) : from,
                    Name = parsed.GetValue(name)!,
                    Precision = parsed.GetValue(precision),
                    Alias = parsed.GetValue(alias),
                    Base = parsed.GetValue(baseModel),
                },
                cancel);
            return await JobWatch.FollowAsync(client, job, parsed.GetValue(detach), cancel);
        }));
        return command;
    }

    /// <summary>A path of this machine becomes a <c>file:</c> source; anything with a scheme stays as it is.</summary>
    internal static string Locate(string source, string folder)
    {
        if (source.StartsWith("file:", StringComparison.Ordinal))
        {
            var path = source["file:".Length..];
            return path.StartsWith('/') ? source : "file:" + Path.GetFullPath(path, folder);
        }

        var local = Path.GetFullPath(source, folder);
        return Path.Exists(local) ? "file:" + local : source;
    }
}
