using System.CommandLine;
using System.Globalization;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos jobs</c>: list, show, follow and steer jobs.</summary>
internal static class JobCommands
{
    public static Command Create(Interrupts interrupts)
    {
        var command = new Command("jobs", "List the jobs, or follow and steer one");
        var kind = new Option<string?>("--kind") { Description = "Only jobs of this kind: import, training, ..." };
        var state = new Option<JobState?>("--state") { Description = "Only jobs in this state" };
        var limit = new Option<int>("--limit") { Description = "Maximum rows", DefaultValueFactory = _ => 20 };
        command.Options.Add(kind);
        command.Options.Add(state);
        command.Options.Add(limit);
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, (client, cancel) =>
            ListAsync(client, parsed.GetValue(kind), parsed.GetValue(state), parsed.GetValue(limit), cancel)));

        command.Subcommands.Add(OnOne(interrupts, "show", "Show everything about a job, as JSON", async (client, id, cancel) =>
        {
            JsonOutput.Write(await client.GetJobAsync(id, 0, cancel));
            return ExitCode.Done;
        }));
        command.Subcommands.Add(OnOne(interrupts, "watch", "Follow a job to its end", async (client, id, cancel) =>
            await JobWatch.FollowAsync(client, await client.GetJobAsync(id, 0, cancel), detach: false, cancel)));
        command.Subcommands.Add(OnOne(interrupts, "logs", "Print a job's log", LogsAsync));
        foreach (var (action, description) in new[]
        {
            ("cancel", "End a job"), ("pause", "Stop a job at its next checkpoint"), ("resume", "Go on with a paused job"), ("retry", "Run a failed job again"),
        })
        {
            command.Subcommands.Add(OnOne(interrupts, action, description, async (client, id, cancel) =>
            {
                var job = await client.ChangeJobAsync(id, action, cancel);
                Console.Out.WriteLine($"{job.Id} is {job.State.ToWord()}");
                return ExitCode.Done;
            }));
        }

        return command;
    }

    private static Command OnOne(Interrupts interrupts, string name, string description, Func<LlmOsClient, string, CancellationToken, Task<int>> action)
    {
        var id = new Argument<string>("ID") { Description = "The job's id, job_..." };
        var command = new Command(name, description) { id };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, (client, cancel) => action(client, parsed.GetValue(id)!, cancel)));
        return command;
    }

    private static async Task<int> LogsAsync(LlmOsClient client, string id, CancellationToken cancel)
    {
        string? after = null;
        do
        {
            var page = await client.ListJobLogsAsync(id, after, 500, cancel);
            foreach (var line in page.Items)
            {
                Console.Out.WriteLine($"{line.At.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)} {line.Level.ToWord()} [{line.Attempt}] {line.Text}");
            }

            after = page.Next;
        }
        while (after is not null);

        return ExitCode.Done;
    }

    private static async Task<int> ListAsync(LlmOsClient client, string? kind, JobState? state, int limit, CancellationToken cancel)
    {
        var page = await client.ListJobsAsync(kind, state, limit, null, cancel);
        var table = Tables.New("ID", "KIND", "STATE", "DONE", "CREATED", "MESSAGE");
        foreach (var job in page.Items)
        {
            table.AddRow(
                Markup.Escape(job.Id),
                Markup.Escape(job.Kind),
                job.State.ToWord(),
                job.Progress.ToString("P0", CultureInfo.InvariantCulture),
                job.CreatedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                Markup.Escape(job.Error?.Message ?? job.Message));
        }

        Tables.Write(table, "There are no such jobs.");
        return ExitCode.Done;
    }
}
