using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Models.Import.Pull;

/// <summary>Tells a job how a download goes: bytes, their rate, and the seconds to go by the rate of this attempt.</summary>
internal sealed class PullProgress(JobContext job, TimeProvider clock, long? total)
{
    /// <summary>The share of an import that fetching takes; storing and building take the rest.</summary>
    public const double Share = 0.8;

    private readonly long _began = clock.GetTimestamp();
    private string _name = "";
    private long _before; // of the files that are done
    private long _now; // of the file under way
    private long? _start; // what was here before this attempt

    public void Begin(string name)
    {
        _name = name;
        _now = 0;
        Tell();
    }

    /// <param name="bytes">Of the file under way.</param>
    public void Received(long bytes)
    {
        _start ??= _before + bytes;
        _now = bytes;
        Tell();
    }

    public void End()
    {
        _before += _now;
        _now = 0;
    }

    private void Tell()
    {
        var done = _before + _now;
        var seconds = clock.GetElapsedTime(_began).TotalSeconds;
        var rate = seconds > 0 ? (done - (_start ?? done)) / seconds : 0;
        var metrics = new Dictionary<string, double> { ["bytes"] = done, ["bytes_per_second"] = rate };
        if (total is { } all)
        {
            metrics["total_bytes"] = all;
        }

        job.Report(
            total is > 0 ? Share * done / total.Value : 0,
            total is { } whole ? ImportCodes.Fetching.With(("file", _name), ("done", done), ("total", whole)) : ImportCodes.FetchingUnsized.With(("file", _name), ("done", done)),
            metrics,
            total is { } t && rate > 0 ? (t - done) / rate : null);
    }
}
