using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Faults of the database and of the data folder's disk that pass, or that somebody can mend: no bugs of the server.</summary>
public sealed class DatabaseFaults : IKnownFaults
{
    private const int ReadOnlyFileSystem = 30; // EROFS

    LlmOsException? IKnownFaults.AsRefusal(Exception fault) => AsRefusal(fault);

    /// <summary>The refusal that a fault is; null for anything else.</summary>
    public static LlmOsException? AsRefusal(Exception fault)
    {
        for (var at = fault; at is not null; at = at.InnerException)
        {
            if (Of(at) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private static LlmOsException? Of(Exception fault) => fault switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode switch
        {
            13 => DiskSpace.Full(sqlite), // SQLITE_FULL
            5 or 6 => Away("The database is busy.", sqlite), // SQLITE_BUSY, SQLITE_LOCKED
            8 or 10 or 14 => Away("The database's file cannot be read or written.", sqlite), // SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN
            _ => null,
        },
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } full => new LlmOsException(ErrorCode.OutOfDisk, "The disk of the database is full.", full) { Hint = "Free some room on the machine that PostgreSQL runs on." },
        PostgresException postgres => IsPassing(postgres.SqlState) ? Away("The database does not take requests right now.", postgres) : null,
        NpgsqlException npgsql => Away("The database does not answer.", npgsql), // all that did not come from the server: no connection, none left in the pool, cut off
        DbUpdateConcurrencyException conflict => new LlmOsException(ErrorCode.Conflict, "Another request changed the same at the same moment.", conflict) { Hint = "Read it again, then send the request again." },
        IOException io when DiskSpace.IsFull(io) => DiskSpace.Full(io),
        IOException { HResult: ReadOnlyFileSystem } io => Away("The data folder cannot be written to.", io),
        _ => null,
    };

    /// <summary>Too many connections or no memory, a stop or start of the server, a lock that another held, a fault of its disk.</summary>
    private static bool IsPassing(string state) =>
        state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal)
        || state.StartsWith("40", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal)
        || state is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.ReadOnlySqlTransaction;

    private static LlmOsException Away(string message, Exception cause) =>
        new(ErrorCode.Unavailable, message, cause) { Hint = "Send the request again in a few seconds; GET /readyz says when it is ready." };
}
