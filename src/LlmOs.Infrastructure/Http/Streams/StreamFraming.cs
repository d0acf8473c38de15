using System.Buffers;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Http.Streams;

/// <summary>How the items of a stream stand on the wire.</summary>
public abstract class StreamFraming
{
    public abstract string ContentType { get; }

    /// <summary>What closes a stream that came to its end; none where the end of the body says it.</summary>
    public virtual ReadOnlyMemory<byte> Closing => default;

    /// <summary>What readers skip, sent while there is nothing to say, so that nobody between takes the connection for dead; none where there is no such thing.</summary>
    public virtual ReadOnlyMemory<byte> KeepAlive => default;

    /// <param name="item">Written as JSON by its own type; a <see cref="StreamEvent"/> with its name and id where the framing has them.</param>
    public abstract void WriteItem(IBufferWriter<byte> wire, object item);

    /// <summary>An error that ends the stream.</summary>
    /// <param name="refusal">Written as JSON by its own type.</param>
    public abstract void WriteError(IBufferWriter<byte> wire, object refusal);

    protected static void WriteJson(IBufferWriter<byte> wire, object item)
    {
        using var json = new Utf8JsonWriter(wire, new JsonWriterOptions { Encoder = LlmOsJson.Options.Encoder });
        JsonSerializer.Serialize(json, item, item.GetType(), LlmOsJson.Options);
    }
}

/// <summary>An item that has a name or an id beside its data.</summary>
/// <param name="Data">Written as JSON by its own type.</param>
/// <param name="Id">By which a reader goes on after a lost connection.</param>
public sealed record StreamEvent(object Data, string? Name = null, string? Id = null);
