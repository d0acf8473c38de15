using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>Asks for a model to be loaded before anybody needs it.</summary>
public sealed record LoadRequest
{
    /// <summary>Seconds that it stays loaded while nobody uses it; -1: until its memory is needed; null leaves that as it is.</summary>
    [Range(-1.0, 31_536_000.0)]
    public double? KeepAlive { get; init; }

    /// <summary>Whether it stays loaded however much memory other models need, until the server stops; null leaves that as it is.</summary>
    public bool? Pinned { get; init; }
}

/// <summary>Where a model in memory stands.</summary>
public enum RunningState
{
    Loading,
    Ready,

    /// <summary>It goes as soon as nobody uses it.</summary>
    Unloading,
}

/// <summary>A model version in the memory of the server that answers.</summary>
/// <param name="Progress">Of its loading, 0 to 1.</param>
/// <param name="Bytes">Memory that it is charged; 0 until that is known.</param>
/// <param name="KvBytes">Keys and values of the sequences that it works on now.</param>
/// <param name="Streams">Requests that hold it.</param>
/// <param name="IdleSeconds">Since no request holds it.</param>
/// <param name="ExpiresAt">When it is unloaded if nobody asks for it until then; null: when its memory is needed.</param>
/// <param name="Pinned">It is not unloaded to make room.</param>
public sealed record RunningModel(
    string Model, int Version, RunningState State, double Progress, long Bytes, long KvBytes, int Streams, double IdleSeconds, DateTimeOffset? ExpiresAt, bool Pinned);
