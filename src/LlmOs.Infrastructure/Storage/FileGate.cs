namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// A lock between threads, processes and hosts that share a folder: its owner has the file open without sharing it. Others
/// try again until it is free, so it is for work of a few milliseconds.
/// </summary>
internal sealed class FileGate(string path) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _threads = new(1); // between threads a file lock alone would be a busy wait

    public async Task<IDisposable> EnterAsync(CancellationToken cancel)
    {
        await _threads.WaitAsync(cancel);
        try
        {
            while (true)
            {
                try
                {
                    return new Inside(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1), _threads);
                }
                catch (IOException) when (File.Exists(path))
                {
                    await Task.Delay(Pause, TimeProvider.System, cancel); // another process is inside
                }
            }
        }
        catch
        {
            _threads.Release();
            throw;
        }
    }

    public void Dispose() => _threads.Dispose();

    private sealed class Inside(FileStream file, SemaphoreSlim threads) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            threads.Release();
        }
    }
}
