using System.ComponentModel.DataAnnotations;

namespace LlmOs.Infrastructure.Http.Streams;

/// <summary>How streams are written; in section <c>Serving</c> of the configuration.</summary>
public sealed class StreamOptions
{
    public const string Section = "Serving";

    /// <summary>Seconds that writing one event of a stream may take before the connection is given up and its slot freed.</summary>
    [Range(1, 3600)]
    public int StreamWriteSeconds { get; set; } = 30;

    /// <summary>Seconds without an event after which a stream says that it is still there.</summary>
    [Range(1, 3600)]
    public int StreamKeepAliveSeconds { get; set; } = 15;

    /// <summary>Seconds that answers may take to end when the server is asked to stop; then they are cut off with an error.</summary>
    [Range(0, 20)]
    public int StopSeconds { get; set; } = 20;
}
