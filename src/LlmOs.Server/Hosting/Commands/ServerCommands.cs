using System.Runtime.InteropServices;
using System.Text.Json;
using LlmOs.Apps;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models;
using LlmOs.Tools;

namespace LlmOs.Server.Hosting.Commands;

/// <summary>
/// What the executable does besides serving, on the machine that holds the data folder: <c>backup</c>, <c>restore</c> and
/// <c>admin reset-key</c>. It reads the same settings as the server. <c>llmos</c> calls it under the same words.
/// </summary>
internal static class ServerCommands
{
    private const int Done = 0;
    private const int Refused = 1;

    private static readonly Dictionary<string, ServerCommand> All = new(StringComparer.Ordinal)
    {
        ["backup"] = new BackupCommand(),
        ["restore"] = new RestoreCommand(),
        ["admin"] = new ResetKeyCommand(),
    };

    /// <summary>The command that the first word names; null: serve.</summary>
    public static ServerCommand? Find(IReadOnlyList<string> words) => words.Count > 0 ? All.GetValueOrDefault(words[0]) : null;

    /// <returns>The exit code: 0 done, 1 refused, 2 wrong usage or a bad setting, 3 the database.</returns>
    public static async Task<int> RunAsync(this ServerCommand command, IReadOnlyList<string> words)
    {
        if (CommandWords.Parse(words, command.Usage) is not { } parsed)
        {
            await Console.Error.WriteLineAsync($"usage: {command.Usage}");
            return StartFailure.BadConfiguration;
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
            var settings = LlmOsSettings.From(builder.Configuration);
            builder.Services.AddInfrastructure(settings).AddModels().AddTools().AddApps();
            builder.Services.AddLogging(log => log.ClearProviders());
            await using var services = builder.Services.BuildServiceProvider();
            var result = await StartFailure.OfDatabaseAsync(settings, () => command.RunAsync(services, settings, parsed, stop.Token));
            await Console.Out.WriteLineAsync(parsed.Json ? JsonSerializer.Serialize(result.Value, LlmOsJson.Options) : result.Text);
            return result.IsWhole ? Done : Refused;
        }
        catch (LlmOsException refusal)
        {
            await Console.Error.WriteLineAsync(string.Join(' ', new[] { refusal.Message, refusal.Hint }.OfType<string>()));
            return Refused;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted.");
            return Refused;
        }
        catch (Exception failure) when (StartFailure.Of(failure) is { } refusal)
        {
            await Console.Error.WriteLineAsync(refusal.Message);
            return refusal.ExitCode;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true; // the command tidies up, then ends
            stop.Cancel();
        }
    }
}

/// <summary>One command.</summary>
internal abstract class ServerCommand
{
    /// <summary>How it is written: words in capitals stand for arguments, words in brackets may be left out.</summary>
    public abstract string Usage { get; }

    public abstract Task<CommandResult> RunAsync(IServiceProvider services, LlmOsSettings settings, CommandWords words, CancellationToken cancel);

    /// <summary>Says on standard error what is done, but not each of a thousand steps.</summary>
    protected static Action<string> Progress(TimeProvider clock)
    {
        var (told, last) = (clock.GetTimestamp(), "");
        return line =>
        {
            if (last.Length == 0 || clock.GetElapsedTime(told) >= TimeSpan.FromSeconds(1))
            {
                (told, last) = (clock.GetTimestamp(), line);
                Console.Error.WriteLine(line);
            }
        };
    }
}

/// <summary>What a command says when it is done.</summary>
/// <param name="Value">What <c>--json</c> writes.</param>
/// <param name="IsWhole">False where it did less than it should.</param>
internal sealed record CommandResult(object Value, string Text, bool IsWhole = true);

/// <summary>The words of a command line, read by its usage.</summary>
/// <param name="Folder">The argument; null where the command takes none.</param>
/// <param name="Options">The options that were given, with their dashes.</param>
internal sealed record CommandWords(string? Folder, IReadOnlySet<string> Options)
{
    public bool Json => Options.Contains("--json");

    /// <summary>Null where the words are not what the usage says.</summary>
    public static CommandWords? Parse(IReadOnlyList<string> words, string usage)
    {
        var pattern = usage.Split(' ');
        var known = pattern.Where(word => word.StartsWith("[--", StringComparison.Ordinal)).Select(word => word.Trim('[', ']')).ToHashSet(StringComparer.Ordinal);
        var options = words.Where(word => word.StartsWith("--", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        var plain = words.Where(word => !word.StartsWith("--", StringComparison.Ordinal)).ToList();
        var wanted = pattern.Where(word => word[0] != '[').ToList();
        if (!options.IsSubsetOf(known) || plain.Count != wanted.Count)
        {
            return null;
        }

        string? folder = null;
        for (var at = 0; at < wanted.Count; at++)
        {
            if (wanted[at].All(char.IsUpper))
            {
                folder = plain[at];
            }
            else if (wanted[at] != plain[at])
            {
                return null;
            }
        }

        return new CommandWords(folder, options);
    }
}
