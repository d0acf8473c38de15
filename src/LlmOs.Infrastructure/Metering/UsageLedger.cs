using System.Threading.Channels;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Infrastructure.Metering;

/// <summary>
/// Keeps usage records. Whoever adds one goes on at once; a writer of its own stores them in batches, again and again until the
/// database takes them. An orderly stop stores all of them. A crash loses what was added in the last moments: one batch being
/// written and those that wait behind it.
/// </summary>
public sealed partial class UsageLedger(IDbContextFactory<LlmOsDb> databases, TimeProvider clock, ILogger<UsageLedger> log) : IHostedService, IDisposable
{
    /// <summary>Records that may wait. Whoever adds one more waits for the database.</summary>
    internal const int MaxWaiting = 8192;

    private const int MaxBatch = 256;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    /// <summary>How long who asks for sums waits for records that are being stored.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(20);

    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _givingUp = new();
    private Task _writer = Task.CompletedTask;

    /// <summary>Takes a record. Never fails; waits for the database only while the queue is full.</summary>
    public async Task AddAsync(UsageRecord record)
    {
        try
        {
            await _queue.Writer.WriteAsync(new Entry(record.Finished(), Flushed: null), CancellationToken.None); // the run has been: it must be kept
        }
        catch (ChannelClosedException)
        {
            // Somebody ended a run while the server was stopping.
            await StoreAsync([record]);
        }
    }

    /// <summary>Returns when everything that this process added before is in the database.</summary>
    /// <exception cref="LlmOsException">503: the database does not take it at present.</exception>
    public async Task FlushAsync(CancellationToken cancel)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            await MarkAsync(waiting.Token).WaitAsync(FlushLimit, clock, cancel);
        }
        catch (TimeoutException)
        {
            await waiting.CancelAsync();
            throw new LlmOsException(ErrorCode.Unavailable, "The database does not take usage records at present, and a sum would lack those that wait.")
            {
                Hint = "Ask again in a while. The server's log says why the records could not be stored; none of them is lost while it runs.",
                RetryAfter = MaxDelay,
            };
        }
    }

    private async Task MarkAsync(CancellationToken cancel)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _queue.Writer.WriteAsync(new Entry(Record: null, flushed), cancel);
        }
        catch (ChannelClosedException)
        {
            return;
        }

        await flushed.Task.WaitAsync(cancel);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _writer = WriteAsync();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await using var registration = cancellationToken.Register(_givingUp.Cancel);
        await _writer;
    }

    public void Dispose() => _givingUp.Dispose();

    private async Task WriteAsync()
    {
        var batch = new List<Entry>(MaxBatch);
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None)) // ends when the queue is closed and empty
        {
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            await StoreAsync([.. batch.Select(e => e.Record).OfType<UsageRecord>()]);
            batch.ForEach(e => e.Flushed?.TrySetResult());
            batch.Clear();
        }
    }

    /// <summary>Stores records, however often it takes; gives up only when the host no longer waits for its end.</summary>
    private async Task StoreAsync(IReadOnlyList<UsageRecord> records)
    {
        for (var delay = FirstDelay; records.Count > 0; delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay)
        {
            try
            {
                await using var db = await databases.CreateDbContextAsync(_givingUp.Token);
                db.UsageRecords.AddRange(records);
                await db.SaveChangesAsync(_givingUp.Token);
                return;
            }
            catch (Exception fault) when (!_givingUp.IsCancellationRequested)
            {
                LogNotStored(records.Count, fault);
            }
            catch (Exception fault)
            {
                LogLost(records.Count, fault);
                return;
            }

            await Task.Delay(delay, clock, _givingUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Count} usage records could not be stored; it is tried again")]
    private partial void LogNotStored(int count, Exception fault);

    [LoggerMessage(LogLevel.Error, "{Count} usage records are lost: the server had to end before the database took them")]
    private partial void LogLost(int count, Exception fault);

    /// <param name="Record">Null for a mark.</param>
    /// <param name="Flushed">Told when everything before it is stored.</param>
    private sealed record Entry(UsageRecord? Record, TaskCompletionSource? Flushed);
}
