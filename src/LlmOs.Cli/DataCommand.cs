using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos data import|list|show|prepare|check|export</c>.</summary>
internal static class DataCommand
{
    /// <summary>Faults that <c>show</c> prints; <c>.../shape</c> names a hundred.</summary>
    private const int MaxFaults = 5;

    public static Command Create(Interrupts interrupts) => new("data", "Data sets: import, look at, prepare and export rows")
    {
        Import(interrupts), List(interrupts), Show(interrupts), Prepare(interrupts), Check(interrupts), Export(interrupts),
    };

    private static Command Import(Interrupts interrupts)
    {
        var source = new Argument<string>("SOURCE") { Description = "A file on the server's machine (beneath LLMOS_IMPORT_DIRS), or hf:org/name, https:..., upload:id" };
        var name = new Option<string>("--name") { Description = "The data set that gets the version", Required = true };
        var format = new Option<string?>("--format") { Description = "jsonl, json, csv, tsv, parquet, text or conll; default: what the file's name ends in" };
        var license = new Option<string?>("--license") { Description = "Licence of the rows" };
        var encoding = new Option<string?>("--encoding") { Description = "utf-8 (default) or windows-1252" };
        var delimiter = new Option<string?>("--delimiter") { Description = "Between the cells of a CSV" };
        var noHeader = new Option<bool>("--no-header") { Description = "The first line of the CSV is a row" };
        var upload = new Option<bool>("--upload") { Description = "Send a file of this machine to the server first" };
        var (detach, json) = (Detach(), Json());
        var command = new Command("import", "Make a version of a data set out of files") { source, name, format, license, encoding, delimiter, noHeader, upload, detach, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var from = ImportCommand.Locate(parsed.GetValue(source)!, Directory.GetCurrentDirectory());
            var request = new DatasetImportRequest
            {
                Source = parsed.GetValue(upload) ? "upload:" + await UploadFile.SendAsync(client, from, cancel) : from,
                Format = parsed.GetValue(format),
                License = parsed.GetValue(license),
                Encoding = parsed.GetValue(encoding),
                Delimiter = parsed.GetValue(delimiter),
                Header = parsed.GetValue(noHeader) ? false : null,
            };
            var job = await client.ImportDatasetAsync(parsed.GetValue(name)!, request, cancel);
            return await FollowAsync(client, job, parsed.GetValue(detach), parsed.GetValue(json), cancel);
        }));
        return command;
    }

    private static Command List(Interrupts interrupts)
    {
        var json = Json();
        var command = new Command("list", "List the data sets") { json };
        command.Aliases.Add("ls");
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            List<DatasetView> all = [];
            string? after = null;
            do
            {
                var page = await client.ListDatasetsAsync(after, cancel);
                all.AddRange(page.Items);
                after = page.Next;
            }
            while (after is not null);
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(all);
                return ExitCode.Done;
            }

            var table = Tables.New("NAME", "VERSION", "ROWS", "SIZE", "LICENCE");
            foreach (var dataset in all)
            {
                table.AddRow(
                    Markup.Escape(dataset.Name),
                    $"{dataset.Versions.Max()}",
                    dataset.Rows.ToString(CultureInfo.InvariantCulture),
                    Sizes.Bytes(dataset.Bytes),
                    Markup.Escape(dataset.License ?? "-"));
            }

            Tables.Write(table, "There are no data sets yet: make one with 'llmos data import'.");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Show(Interrupts interrupts)
    {
        var (dataset, json) = (Reference(), Json());
        var rows = new Option<int>("--rows", "-n") { Description = "Rows to show (default 5)", DefaultValueFactory = _ => 5 };
        var split = new Option<string?>("--split") { Description = "Show rows of this split" };
        var command = new Command("show", "Show a version: columns, splits, statistics, shape and first rows") { dataset, rows, split, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var (name, version) = await client.FindDatasetVersionAsync(parsed.GetValue(dataset)!, cancel);
            var view = await client.GetDatasetVersionAsync(name, version, cancel);
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(view);
                return ExitCode.Done;
            }

            Console.Out.WriteLine($"{view.Ref}  {view.Rows} rows ({string.Join(", ", view.Splits.Select(s => $"{s.Key} {s.Value}"))}), {Sizes.Bytes(view.Bytes)}, licence {view.License ?? "unknown"}");
            Console.Out.WriteLine($"sha256 {view.Sha256}{(view.Lineage.Parent is { } parent ? $", of {parent}" : view.Lineage.Source is { } source ? $", of {source}" : "")}");
            var table = Tables.New("COLUMN", "TYPE", "EMPTY", "DIFFERENT", "MIN LENGTH", "MAX LENGTH");
            foreach (var column in (await client.GetDatasetStatisticsAsync(name, version, cancel)).Columns)
            {
                table.AddRow(Markup.Escape(column.Name), column.Type, $"{column.Nulls}", $"{(column.DistinctIsExact ? "" : "~")}{column.Distinct}", $"{column.MinLength}", $"{column.MaxLength}");
            }

            Tables.Write(table, "It has no columns.");
            Write(await client.GetDatasetShapeAsync(name, version, null, cancel));
            if (parsed.GetValue(rows) is > 0 and var count)
            {
                foreach (var row in (await client.ListDatasetRowsAsync(name, version, parsed.GetValue(split), null, Math.Min(count, 500), cancel)).Items)
                {
                    Console.Out.WriteLine(JsonSerializer.Serialize(row, LlmOsJson.Options));
                }
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Prepare(Interrupts interrupts)
    {
        var file = new Argument<string>("SPEC") { Description = "Specification of the preparation: a .yaml or .json file" };
        var dataset = new Option<string?>("--dataset") { Description = "The version to read, instead of the specification's" };
        var name = new Option<string?>("--name") { Description = "The data set that gets the version, instead of the specification's" };
        var preview = new Option<int?>("--preview") { Description = "Show what the steps make of so many rows, and store nothing" };
        var (detach, json) = (Detach(), Json());
        var command = new Command("prepare", "Take a data set through steps") { file, dataset, name, preview, detach, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var specification = SpecFile.With(SpecFile.With(await SpecFile.ReadAsync(parsed.GetValue(file)!, cancel), "dataset", parsed.GetValue(dataset)), "name", parsed.GetValue(name));
            if (parsed.GetValue(preview) is { } rows)
            {
                var fields = System.Text.Json.Nodes.JsonObject.Create(specification)!;
                fields["preview"] = rows;
                Write(await client.PreviewPreparationAsync(JsonSerializer.SerializeToElement(fields), cancel), parsed.GetValue(json));
                return ExitCode.Done;
            }

            return await FollowAsync(client, await client.PrepareDatasetAsync(specification, cancel), parsed.GetValue(detach), parsed.GetValue(json), cancel);
        }));
        return command;
    }

    private static Command Check(Interrupts interrupts)
    {
        var train = new Argument<string>("TRAIN") { Description = "The version that a model is trained on" };
        var test = new Argument<string>("TEST") { Description = "The version that it is tested on" };
        var column = new Option<string?>("--column") { Description = "The column of text in both (default text)" };
        var (detach, json) = (Detach(), Json());
        var command = new Command("check", "Look for the rows of a test set in a training set") { train, test, column, detach, json };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var request = new LeakageRequest { Train = parsed.GetValue(train)!, Test = parsed.GetValue(test)!, Column = parsed.GetValue(column) };
            return await FollowAsync(client, await client.FindLeaksAsync(request, cancel), parsed.GetValue(detach), parsed.GetValue(json), cancel);
        }));
        return command;
    }

    private static Command Export(Interrupts interrupts)
    {
        var dataset = Reference();
        var format = new Option<string>("--format") { Description = "jsonl (default), csv or parquet", DefaultValueFactory = _ => "jsonl" };
        var split = new Option<string?>("--split") { Description = "Its rows alone" };
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; default: standard output" };
        var command = new Command("export", "Write the rows of a version into a file") { dataset, format, split, output };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var (name, version) = await client.FindDatasetVersionAsync(parsed.GetValue(dataset)!, cancel);
            if (parsed.GetValue(output) is not { } path)
            {
                await using var standard = Console.OpenStandardOutput();
                await client.DownloadDatasetAsync(name, version, parsed.GetValue(format)!, parsed.GetValue(split), standard, cancel);
                return ExitCode.Done;
            }

            // Under another name until it is whole.
            var part = path + ".part";
            await using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                await client.DownloadDatasetAsync(name, version, parsed.GetValue(format)!, parsed.GetValue(split), file, cancel);
            }

            File.Move(part, path, overwrite: true);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Argument<string> Reference() => new("DATASET") { Description = "A version, name:3, or a name for its newest one" };

    private static Option<bool> Json() => new("--json") { Description = "Print JSON" };

    private static Option<bool> Detach() => new("--detach", "-d") { Description = "Print the job's id and do not wait" };

    private static async Task<int> FollowAsync(LlmOsClient client, JobView job, bool detach, bool json, CancellationToken cancel)
    {
        if (!json || detach)
        {
            return await JobWatch.FollowAsync(client, job, detach, cancel);
        }

        await foreach (var now in client.WatchJobAsync(job.Id, cancel))
        {
            job = now;
        }

        JsonOutput.Write(job.Result ?? JsonSerializer.SerializeToElement(job.Error, LlmOsJson.Options));
        return job.State == JobState.Succeeded ? ExitCode.Done : ExitCode.Refused;
    }

    private static void Write(DatasetShape shape)
    {
        Console.Out.WriteLine(shape.Shape is null
            ? "shape: none that is known; the step rows converts nothing of it"
            : $"shape: {shape.Shape}, for {string.Join(", ", shape.Kinds)}; {shape.FaultCount} of {shape.RowsChecked} rows do not fit");
        foreach (var fault in shape.Faults.Take(MaxFaults))
        {
            Console.Out.WriteLine($"  row {fault.Row}: {fault.Field} {fault.Message}");
        }
    }

    private static void Write(PreparationResult preview, bool json)
    {
        if (json)
        {
            JsonOutput.Write(preview);
            return;
        }

        var table = Tables.New("STEP", "ROWS IN", "ROWS OUT", "CHANGED", "DROPPED", "BECAUSE");
        foreach (var step in preview.Steps)
        {
            table.AddRow(step.Step, $"{step.RowsIn}", $"{step.RowsOut}", $"{step.Changed}", $"{step.Dropped}", string.Join(", ", step.Reasons.Select(r => $"{r.Key} {r.Value}")));
        }

        Tables.Write(table, "There are no steps.");
        foreach (var row in preview.Items ?? [])
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(row, LlmOsJson.Options));
        }
    }
}
