using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Text;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Serving;

/// <summary>A message as templates see it; every text in it came from a user.</summary>
/// <param name="ToolCalls">JSON as it was sent.</param>
internal sealed record TemplateMessage(string Role, string? Content, string? Name, string? ToolCallId, IReadOnlyList<JsonElement>? ToolCalls);

/// <summary>A model's own way of writing a conversation.</summary>
internal interface IChatFormat
{
    /// <summary>Whether the format shows tools to the model.</summary>
    bool KnowsTools { get; }

    /// <summary>The conversation as one text, ready for the assistant's reply.</summary>
    /// <param name="continueLast">The last message is the assistant's and is to be continued, not closed.</param>
    string Render(IReadOnlyList<TemplateMessage> messages, IReadOnlyList<JsonElement>? tools, bool continueLast);
}

/// <summary>Conversations to prompt ids.</summary>
internal sealed class ChatPrompts(ITokenizer tokenizer, IChatFormat? format)
{
    private readonly SpecialTokenGuard _guard = new(tokenizer);

    /// <summary>Whether the model has a chat template.</summary>
    public bool HasTemplate => format is not null;

    /// <summary>Whether tools are shown to the model.</summary>
    public bool KnowsTools => format is { KnowsTools: true };

    /// <summary>
    /// The ids of a conversation. Without a template the messages' texts stand one after the other, parted by an empty line,
    /// and the model continues the last: what a model that was never taught to chat does best.
    /// </summary>
    public int[] Encode(IReadOnlyList<TemplateMessage> messages, IReadOnlyList<JsonElement>? tools, bool continueLast)
    {
        if (format is null)
        {
            var plain = string.Join("\n\n", messages.Select(m => m.Content).Where(c => !string.IsNullOrEmpty(c)));
            return tokenizer.Encode(plain, addSpecialTokens: true, parseSpecialTokens: false);
        }

        var texts = messages.SelectMany(TextsOf).Concat((tools ?? []).Select(t => t.GetRawText())).ToList();
        var mark = SpecialTokenGuard.FreeMark(texts)
            ?? throw LlmOsException.Invalid("messages", "'messages' holds every one of the characters U+FDD0 to U+FDEF, which stand for nothing. Remove some of them.");
        var rendered = format.Render(
            [.. messages.Select(m => Marked(m, mark))],
            tools is null ? null : [.. tools.Select(t => Marked(t, mark))],
            continueLast);
        return _guard.Encode(rendered, mark);
    }

    private static IEnumerable<string> TextsOf(TemplateMessage message) =>
        new[] { message.Content, message.Name, message.ToolCallId }.OfType<string>()
            .Concat((message.ToolCalls ?? []).Select(c => c.GetRawText()));

    private TemplateMessage Marked(TemplateMessage message, char mark) => new(
        message.Role,
        message.Content is null ? null : _guard.Mark(message.Content, mark),
        message.Name is null ? null : _guard.Mark(message.Name, mark),
        message.ToolCallId is null ? null : _guard.Mark(message.ToolCallId, mark),
        message.ToolCalls is null ? null : [.. message.ToolCalls.Select(c => Marked(c, mark))]);

    /// <summary>The same JSON with every text in it marked; nearly always it holds nothing to mark and stays as it is.</summary>
    private JsonElement Marked(JsonElement json, char mark)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(json, writer);
        }

        using var document = JsonDocument.Parse(buffer.ToArray(), new JsonDocumentOptions { MaxDepth = LlmOsJson.Options.MaxDepth });
        return document.RootElement.Clone();

        void Write(JsonElement element, Utf8JsonWriter writer)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var property in element.EnumerateObject())
                    {
                        writer.WritePropertyName(_guard.Mark(property.Name, mark));
                        Write(property.Value, writer);
                    }

                    writer.WriteEndObject();
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in element.EnumerateArray())
                    {
                        Write(item, writer);
                    }

                    writer.WriteEndArray();
                    break;
                case JsonValueKind.String:
                    writer.WriteStringValue(_guard.Mark(element.GetString()!, mark));
                    break;
                default:
                    element.WriteTo(writer);
                    break;
            }
        }
    }
}
