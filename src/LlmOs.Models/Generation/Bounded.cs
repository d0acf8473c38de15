namespace LlmOs.Models.Generation;

/// <summary>The parts of one request, a bounded number of them at work at a time.</summary>
internal static class Bounded
{
    /// <param name="together">Parts that are at work at a time.</param>
    /// <param name="begin">Begins a part, by index.</param>
    /// <param name="cancel">Begins no further one.</param>
    /// <returns>A task for each part. Nobody need await them all.</returns>
    public static Task<T>[] Start<T>(int count, int together, Func<int, Task<T>> begin, CancellationToken cancel)
    {
        var free = new SemaphoreSlim(together);
        Task<T>[] parts = [.. Enumerable.Range(0, count).Select(RunAsync)];
        _ = Task.WhenAll(parts).ContinueWith(
            all =>
            {
                free.Dispose();
                return all.Exception; // seen, whoever awaits a part
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
        return parts;

        async Task<T> RunAsync(int index)
        {
            await free.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                return await begin(index).ConfigureAwait(false);
            }
            finally
            {
                free.Release();
            }
        }
    }
}
