using System.Buffers;

namespace LlmOs.Infrastructure.Http.Streams;

/// <summary>JSON by lines: an item a line, an error a line that is known by its fields. Names and ids of events have no place here.</summary>
public sealed class NdJson : StreamFraming
{
    public override string ContentType => "application/x-ndjson";

    public override void WriteItem(IBufferWriter<byte> wire, object item)
    {
        WriteJson(wire, item is StreamEvent { Data: var data } ? data : item);
        wire.Write("\n"u8);
    }

    public override void WriteError(IBufferWriter<byte> wire, object refusal) => WriteItem(wire, refusal);
}
