using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos usage</c>: what the runs of models cost, added up; <c>llmos usage list</c>: run by run.</summary>
internal static class UsageCommand
{
    private const string TimeHelp = "2026-02-03, or 2026-02-03T04:05:06+01:00; a day and a time without a zone are UTC";
    private const int MaxDays = 36500;

    public static Command Create(Interrupts interrupts)
    {
        var by = new Option<string>("--by") { Description = "Add up by model, key, user, app or day (of UTC)", DefaultValueFactory = _ => "model" };
        by.AcceptOnlyFromAmong("model", "key", "user", "app", "day");
        var command = Summed("usage", "Show what runs of models cost: tokens and time", 100, interrupts, by, SummarizeAsync);
        command.Subcommands.Add(Summed("list", "List single runs, the newest first", 20, interrupts, by: null, ListAsync));
        return command;
    }

    /// <summary>A command with the options that choose records.</summary>
    private static Command Summed(
        string name, string description, int rows, Interrupts interrupts, Option<string>? by, Func<LlmOsClient, Wanted, CancellationToken, Task> show)
    {
        var since = new Option<DateTimeOffset?>("--since") { Description = $"Only runs that ended then or later: {TimeHelp}", CustomParser = ReadTime };
        var until = new Option<DateTimeOffset?>("--until") { Description = $"Only runs that ended before: {TimeHelp}", CustomParser = ReadTime };
        var days = new Option<int?>("--days") { Description = "Only the last so many days of UTC, today among them" };
        days.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var count) && count is < 1 or > MaxDays)
            {
                result.AddError($"--days must be 1 to {MaxDays}, not {count}.");
            }
        });
        var model = new Option<string?>("--model") { Description = "Only runs of this version (name:3) or of all versions of this name" };
        var key = new Option<string?>("--key") { Description = "Only runs of the key with this id" };
        var limit = new Option<int>("--limit") { Description = "Maximum rows", DefaultValueFactory = _ => rows };
        var json = new Option<bool>("--json") { Description = "Print the server's answer as JSON" };
        var command = new Command(name, description) { since, until, days, model, key, limit, json };
        if (by is not null)
        {
            command.Options.Add(by);
        }

        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var from = parsed.GetValue(since);
            if (parsed.GetValue(days) is { } count)
            {
                from = from is null ? Today().AddDays(1 - count) : throw new UsageException("--since and --days both say where to begin. Give one of them.");
            }

            var filter = new UsageFilter(from, parsed.GetValue(until), parsed.GetValue(model), parsed.GetValue(key));
            await show(client, new Wanted(by is null ? "" : parsed.GetValue(by)!, filter, parsed.GetValue(limit), parsed.GetValue(json)), cancel);
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task SummarizeAsync(LlmOsClient client, Wanted wanted, CancellationToken cancel)
    {
        var summary = await client.SummarizeUsageAsync(wanted.By, wanted.Filter, wanted.Limit, cancel);
        if (wanted.Json)
        {
            JsonOutput.Write(summary);
            return;
        }

        var table = Tables.New(summary.By.ToUpperInvariant(), "REQUESTS", "READ", "CACHED", "MADE", "TIME");
        foreach (var group in summary.Items)
        {
            Add(table, group.Value ?? "-", group.Totals);
        }

        // The limit may have left groups out.
        if (summary.Items.Count > 1 || summary.Total.Requests > summary.Items.Sum(group => group.Totals.Requests))
        {
            Add(table, "total", summary.Total);
        }

        Tables.Write(table, "No model ran in that time.");
    }

    private static async Task ListAsync(LlmOsClient client, Wanted wanted, CancellationToken cancel)
    {
        var page = await client.ListUsageAsync(wanted.Filter, wanted.Limit, null, cancel);
        if (wanted.Json)
        {
            JsonOutput.Write(page);
            return;
        }

        var table = Tables.New("TIME", "OPERATION", "MODEL", "READ", "CACHED", "MADE", "MS", "CALLER");
        foreach (var run in page.Items)
        {
            table.AddRow(
                run.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                Markup.Escape(run.Operation),
                Markup.Escape(run.Model),
                Whole(run.PromptTokens),
                Whole(run.CachedTokens),
                Whole(run.GeneratedTokens),
                Math.Round(run.QueueMs + run.PromptMs + run.DecodeMs).ToString(CultureInfo.InvariantCulture),
                Markup.Escape(run.JobId ?? run.App ?? run.UserId ?? run.KeyId ?? "-"));
        }

        Tables.Write(table, "No model ran in that time.");
    }

    private static void Add(Table table, string name, UsageTotals totals) => table.AddRow(
        Markup.Escape(name),
        Whole(totals.Requests),
        Whole(totals.PromptTokens),
        Whole(totals.CachedTokens),
        Whole(totals.GeneratedTokens),
        Sizes.Duration((totals.PromptMs + totals.DecodeMs) / 1000));

    private static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);


    private static DateTimeOffset Today() => new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    private static DateTimeOffset? ReadTime(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        result.AddError($"'{text}' is no time. Write {TimeHelp}.");
        return null;
    }

    /// <param name="By">Empty for single runs.</param>
    private sealed record Wanted(string By, UsageFilter Filter, int Limit, bool Json);
}
