namespace LlmOs.Server.Hosting;

/// <summary>How a host that was asked to stop ends.</summary>
internal static class HostEnd
{
    /// <summary>Runs until the host is asked to stop. A part of it that does not stop in time is left: an orderly end all the same.</summary>
    /// <remarks>What was not given back is found again: a job's lease runs out and another host takes it over.</remarks>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunToEndAsync(this IHost host)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping; // the host is disposed below
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopping took too long; what was still at work was left.");
        }

        return 0;
    }
}
