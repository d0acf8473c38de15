namespace LlmOs.Server.Hosting;

/// <summary>How the process ends.</summary>
internal static class HostEnd
{
    /// <summary>The exit code of a process that ended because a part of it failed.</summary>
    public const int Fault = 1;

    /// <summary>Runs until the host is asked to stop. A part of it that does not stop in time is left: an orderly end all the same.</summary>
    /// <remarks>What was not given back is found again: a job's lease runs out and another host takes it over.</remarks>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunToEndAsync(this IHost host)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping; // the host is disposed below
        var outcome = host.Services.GetService<HostOutcome>();
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopping took too long; what was still at work was left.");
        }

        switch (outcome?.Failure)
        {
            case null:
                return 0;
            case var failure when StartFailure.Of(failure) is { } refusal:
                await Console.Error.WriteLineAsync($"LlmOs cannot start. {refusal.Message}");
                return refusal.ExitCode;
            case var failure:
                await Console.Error.WriteLineAsync($"LlmOs ended because a part of it failed: {failure}");
                return Fault;
        }
    }
}
