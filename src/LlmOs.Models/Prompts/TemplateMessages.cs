using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Models.Prompts;

/// <summary>Messages as a template's authors expect them, whatever of OpenAI's ways the client wrote them in.</summary>
internal static class TemplateMessages
{
    public static TemplateValue Of(IReadOnlyList<TemplateMessage> messages, ChatTraits traits) =>
        TemplateValue.ListOf(Fit(messages, traits).Select(m => One(m, traits)));

    /// <summary>
    /// A developer speaks as the system does where a template does not know developers. Where it does not know a system
    /// either, what the system says stands before the first thing that the user says.
    /// </summary>
    private static IEnumerable<TemplateMessage> Fit(IReadOnlyList<TemplateMessage> messages, ChatTraits traits)
    {
        var fitted = messages.Select(m => m.Role == "developer" && !traits.KnowsDeveloper ? m with { Role = "system" } : m);
        if (traits.KnowsSystem)
        {
            return fitted;
        }

        var result = new List<TemplateMessage>();
        var waiting = new List<string>();
        foreach (var message in fitted)
        {
            if (message.Role == "system")
            {
                waiting.Add(message.Content ?? "");
            }
            else if (message.Role == "user" && waiting.Count > 0)
            {
                var before = string.Join("\n\n", waiting) + "\n\n";
                result.Add(message with { Content = before + message.Content, Parts = message.Parts is null ? null : [before, .. message.Parts] });
                waiting.Clear();
            }
            else
            {
                result.Add(message);
            }
        }

        return waiting.Count == 0 ? result : [.. result, new TemplateMessage("user", string.Join("\n\n", waiting))];
    }

    private static TemplateValue One(TemplateMessage message, ChatTraits traits)
    {
        var fields = new List<KeyValuePair<string, TemplateValue>>
        {
            new("role", TemplateValue.Of(message.Role, fromUser: false)),
            new("content", Content(message, traits)),
        };
        Add("name", message.Name);
        Add("tool_call_id", message.ToolCallId);
        if (message.ToolCalls is { Count: > 0 } calls)
        {
            fields.Add(new("tool_calls", TemplateValue.ListOf(calls.Select(c => TemplateValue.FromJson(WithArguments(c, traits.WantsArgumentText), fromUser: true)))));
        }

        foreach (var (name, value) in message.Others ?? new Dictionary<string, JsonElement>())
        {
            fields.Add(new(name, TemplateValue.FromJson(value, fromUser: true)));
        }

        return TemplateValue.MapOf(fields);

        void Add(string name, string? text)
        {
            if (text is not null)
            {
                fields.Add(new(name, TemplateValue.Of(text, fromUser: true)));
            }
        }
    }

    private static TemplateValue Content(TemplateMessage message, ChatTraits traits)
    {
        var calls = message.ToolCalls is { Count: > 0 };
        if (message.Content is not { } content || (calls && traits.CallsNeedNull && content.Length == 0))
        {
            return calls ? traits.NoContentBesideCalls : traits.NoContent;
        }

        var parts = message.Parts is { } given && traits.ReadsParts ? given : traits.NeedsParts ? [content] : null;
        return parts is not null ? TemplateValue.ListOf(parts.Select(Part)) : TemplateValue.Of(content, fromUser: true);
    }

    private static TemplateValue Part(string text) => TemplateValue.MapOf(
    [
        new("type", TemplateValue.Of("text", fromUser: false)),
        new("text", TemplateValue.Of(text, fromUser: true)),
    ]);

    /// <summary>OpenAI's clients send a call's arguments as JSON text; most templates write them as JSON themselves.</summary>
    private static JsonElement WithArguments(JsonElement call, bool asText)
    {
        if (call.ValueKind != JsonValueKind.Object
            || !call.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object
            || !function.TryGetProperty("arguments", out var arguments)
            || Fitting(arguments, asText) is not { } fitting)
        {
            return call;
        }

        return Replaced(call, "function", Replaced(function, "arguments", fitting));
    }

    /// <summary>The arguments in the other form; null where they are in the right one, or are no JSON.</summary>
    private static JsonElement? Fitting(JsonElement arguments, bool asText)
    {
        if (asText)
        {
            return arguments.ValueKind == JsonValueKind.String ? null : JsonSerializer.SerializeToElement(arguments.GetRawText());
        }

        if (arguments.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(arguments.GetString()!, new JsonDocumentOptions { MaxDepth = LlmOsJson.Options.MaxDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement Replaced(JsonElement json, string name, JsonElement value) => JsonSerializer.SerializeToElement(
        json.EnumerateObject().ToDictionary(p => p.Name, p => p.Name == name ? value : p.Value));
}
