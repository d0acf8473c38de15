using System.Data.Common;
using System.Net.Sockets;
using LlmOs.Infrastructure;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace LlmOs.Server.Hosting;

/// <summary>A reason for which the process ends before it serves.</summary>
internal sealed class StartFailure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The configuration is at fault; the message names the setting.</summary>
    public const int BadConfiguration = 2;

    /// <summary>The database cannot be reached, or is of a newer version.</summary>
    public const int Database = 3;

    public int ExitCode { get; } = exitCode;

    /// <summary>Does what needs the database; where that fails, the failure says that it is the database.</summary>
    public static async Task<T> OfDatabaseAsync<T>(LlmOsSettings settings, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is DbException or SocketException or TimeoutException || e.InnerException is DbException)
        {
            var cause = e as DbException ?? e.InnerException ?? e;
            throw new StartFailure(Database, $"The database is not usable (LLMOS_DATABASE{(settings.Database is null ? " is empty: SQLite in LLMOS_DATA" : "")}): {cause.Message}", e);
        }
    }

    /// <summary>The failure as a person may act on it; null when it is a bug, which shows its trace.</summary>
    public static StartFailure? Of(Exception failure) => failure switch
    {
        StartFailure known => known,
        SettingException setting => new StartFailure(BadConfiguration, setting.Message),
        OptionsValidationException options => new StartFailure(BadConfiguration, string.Join(' ', options.Failures)),
        AggregateException several when several.InnerExceptions.All(inner => inner is OptionsValidationException) =>
            new StartFailure(BadConfiguration, string.Join(' ', several.InnerExceptions.Select(inner => Of(inner)!.Message))),
        IOException { InnerException: AddressInUseException } => new StartFailure(
            BadConfiguration, $"ASPNETCORE_URLS: {failure.Message} Stop the other program, or choose another address."),
        InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" } => new StartFailure(
            BadConfiguration, $"ASPNETCORE_URLS: {failure.Message.Split('\n')[0].Trim()} Name a certificate in Kestrel:Certificates:Default (Path, Password), or listen on http and let a proxy speak https."),
        SocketException socket => new StartFailure(BadConfiguration, $"ASPNETCORE_URLS: {socket.Message}."),
        UnauthorizedAccessException or DirectoryNotFoundException => new StartFailure(BadConfiguration, $"LLMOS_DATA: {failure.Message}"),
        _ => null,
    };
}
