using System.Buffers;
using System.Net.ServerSentEvents;
using System.Text;
using LlmOs.Infrastructure.Http.Streams;

namespace LlmOs.Infrastructure.Tests.Http.Streams;

public class StreamFramingTests
{
    [Fact]
    public void Server_sent_events_are_read_by_a_parser_as_they_were_written()
    {
        var framing = new ServerSentEvents(end: "[DONE]");
        var text = Written(
            wire => framing.WriteItem(wire, new StreamEvent(new { text = "two\nlines" }, "running", "7")),
            wire => wire.Write(framing.KeepAlive.Span),
            wire => framing.WriteItem(wire, new { a = 1 }),
            wire => framing.WriteError(wire, new { why = "so" }),
            wire => wire.Write(framing.Closing.Span));

        var events = SseParser.Create(new MemoryStream(Encoding.UTF8.GetBytes(text))).Enumerate().Select(e => (e.EventType, e.EventId, e.Data));

        Assert.Equal(
            [
                ("running", "7", """{"text":"two\nlines"}"""),
                ("message", null, """{"a":1}"""),
                ("error", null, """{"why":"so"}"""),
                ("message", null, "[DONE]"),
            ],
            events);
    }

    [Fact]
    public void Errors_can_be_items_and_the_blank_left_out()
    {
        var framing = new ServerSentEvents(errorEvent: null, blank: false);

        var text = Written(wire => framing.WriteItem(wire, new { a = 1 }), wire => framing.WriteError(wire, new { error = "x" }));

        Assert.Equal("data:{\"a\":1}\n\ndata:{\"error\":\"x\"}\n\n", text);
        Assert.True(framing.Closing.IsEmpty);
    }

    [Fact]
    public void Json_by_lines_has_a_line_for_each_item_and_nothing_else()
    {
        var framing = new NdJson();

        var text = Written(
            wire => framing.WriteItem(wire, new { text = "two\nlines" }),
            wire => framing.WriteItem(wire, new StreamEvent(new { a = 1 }, "name", "id")),
            wire => framing.WriteError(wire, new { error = "x" }));

        Assert.Equal("{\"text\":\"two\\nlines\"}\n{\"a\":1}\n{\"error\":\"x\"}\n", text);
        Assert.Equal("application/x-ndjson", framing.ContentType);
        Assert.True(framing.Closing.IsEmpty && framing.KeepAlive.IsEmpty);
    }

    private static string Written(params Action<IBufferWriter<byte>>[] writes)
    {
        var wire = new ArrayBufferWriter<byte>();
        foreach (var write in writes)
        {
            write(wire);
        }

        return Encoding.UTF8.GetString(wire.WrittenSpan);
    }
}
