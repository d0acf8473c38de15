using System.Buffers;
using System.Text;

namespace LlmOs.Infrastructure.Http.Streams;

/// <summary>Server-sent events: an item is a <c>data:</c> line, an empty line ends it.</summary>
public sealed class ServerSentEvents : StreamFraming
{
    private static readonly byte[] Comment = ":\n\n"u8.ToArray();
    private readonly byte[] _end;
    private readonly string? _errorEvent;
    private readonly byte[] _data;

    /// <param name="end">The data of the event that closes the stream; null: none does.</param>
    /// <param name="errorEvent">The name of the event of an error; null: an item like any other, known by its fields.</param>
    /// <param name="blank">Whether a blank follows <c>data:</c>. Parsers skip it, but some clients cut lines by hand.</param>
    public ServerSentEvents(string? end = null, string? errorEvent = "error", bool blank = true)
    {
        _data = blank ? "data: "u8.ToArray() : "data:"u8.ToArray();
        _end = end is null ? [] : [.. _data, .. Encoding.UTF8.GetBytes(end), .. "\n\n"u8];
        _errorEvent = errorEvent;
    }

    public override string ContentType => "text/event-stream";

    public override ReadOnlyMemory<byte> Closing => _end;

    public override ReadOnlyMemory<byte> KeepAlive => Comment;

    public override void WriteItem(IBufferWriter<byte> wire, object item)
    {
        if (item is StreamEvent { Data: var data, Name: var name, Id: var id })
        {
            Write(wire, data, name, id);
        }
        else
        {
            Write(wire, item, name: null, id: null);
        }
    }

    public override void WriteError(IBufferWriter<byte> wire, object refusal) => Write(wire, refusal, _errorEvent, id: null);

    private void Write(IBufferWriter<byte> wire, object data, string? name, string? id)
    {
        WriteField(wire, "event: "u8, name);
        WriteField(wire, "id: "u8, id);
        wire.Write(_data);
        WriteJson(wire, data); // on one line: JSON escapes line breaks
        wire.Write("\n\n"u8);
    }

    private static void WriteField(IBufferWriter<byte> wire, ReadOnlySpan<byte> field, string? value)
    {
        if (value is not null)
        {
            wire.Write(field);
            wire.Write(Encoding.UTF8.GetBytes(value));
            wire.Write("\n"u8);
        }
    }
}
