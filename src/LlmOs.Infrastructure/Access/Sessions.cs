using System.Collections.Concurrent;
using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Access;

/// <summary>A browser that is signed in. The cookie holds the id; without the row it is worth nothing.</summary>
internal sealed class Session
{
    public long Seq { get; set; }

    public required string Id { get; init; }

    /// <summary>The key or user that it was begun with.</summary>
    public required string CallerId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>
/// Which sessions there are. A cookie alone would stay good after signing out; here the row goes, and with it every copy of the
/// cookie and what an open page of the session is doing on this host.
/// </summary>
public sealed class Sessions(IDbContextFactory<LlmOsDb> databases, TimeProvider clock)
{
    /// <summary>How long a session lasts at most, however much it is used.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);

    /// <summary>Sessions that may be kept in memory.</summary>
    private const int MaxUnstored = 1_000;

    private readonly ConcurrentDictionary<string, CancellationTokenSource> _open = new();

    /// <summary>
    /// Sessions that were begun while the disk was full: whoever is to make room must get in. They are known to this host alone and
    /// end with it.
    /// </summary>
    private readonly ConcurrentDictionary<string, Session> _unstored = new();

    /// <returns>The id of the new session.</returns>
    public async Task<string> BeginAsync(string callerId, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var session = new Session { Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), CallerId = callerId, CreatedAt = now };
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await db.Sessions.Where(s => s.CreatedAt < now - MaxAge).ExecuteDeleteAsync(cancel);
            db.Add(session);
            await db.SaveChangesAsync(cancel);
        }
        catch (Exception fault) when (_unstored.Count < MaxUnstored && DatabaseFaults.AsRefusal(fault)?.Code == ErrorCode.OutOfDisk)
        {
            _unstored[session.Id] = session;
        }

        return session.Id;
    }

    /// <summary>Whether a session still stands for its caller.</summary>
    public async Task<bool> IsOpenAsync(string id, string callerId, CancellationToken cancel)
    {
        var oldest = clock.GetUtcNow() - MaxAge;
        if (_unstored.TryGetValue(id, out var session))
        {
            return session.CallerId == callerId && session.CreatedAt > oldest;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Sessions.AnyAsync(s => s.Id == id && s.CallerId == callerId && s.CreatedAt > oldest, cancel);
    }

    public async Task EndAsync(string id, CancellationToken cancel)
    {
        if (!_unstored.TryRemove(id, out _))
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await db.Sessions.Where(s => s.Id == id).ExecuteDeleteAsync(cancel);
        }

        if (_open.TryRemove(id, out var ending))
        {
            await ending.CancelAsync(); // not disposed: requests that are ending still hold its token
        }
    }

    /// <summary>Fires when the session is ended on this host.</summary>
    public CancellationToken Ended(string id) => _open.GetOrAdd(id, _ => new CancellationTokenSource()).Token;
}
