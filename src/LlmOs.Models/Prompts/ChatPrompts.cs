using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Prompts;

/// <summary>Conversations to prompts, with a model's own templates.</summary>
internal sealed class ChatPrompts(ITokenizer tokenizer, ChatSources sources, TimeProvider clock)
{
    private readonly SpecialTokenGuard _guard = new(tokenizer);
    private readonly ChatTemplates _templates = new(sources.Templates);

    /// <summary>Whether tools are shown to the model.</summary>
    public bool KnowsTools => _templates.KnowsTools;

    /// <summary>The ids of a conversation. The template says where special tokens stand; none is added to them.</summary>
    /// <param name="addSpecialTokens">Put what the tokenizer puts around a text around the rendered one too, where the template did not.</param>
    public int[] Encode(Conversation conversation, CancellationToken cancel, bool addSpecialTokens = false)
    {
        if (!HasTemplate(conversation))
        {
            return tokenizer.Encode(Plain(conversation), addSpecialTokens: true, parseSpecialTokens: false);
        }

        var ids = _guard.Encode(RenderTemplate(conversation, cancel));
        return addSpecialTokens ? WithSpecialTokens(ids) : ids;
    }

    /// <summary>The text of a conversation's prompt.</summary>
    public string Render(Conversation conversation, CancellationToken cancel) =>
        HasTemplate(conversation) ? RenderTemplate(conversation, cancel).Text : Plain(conversation);

    /// <summary>What the tokenizer puts before and behind a text, each where it does not stand already: a prompt never begins twice.</summary>
    private int[] WithSpecialTokens(int[] ids)
    {
        // Rendering a single letter shows what the template puts around a text.
        var (bare, around) = (tokenizer.Encode("a", addSpecialTokens: false, parseSpecialTokens: false), tokenizer.Encode("a", addSpecialTokens: true, parseSpecialTokens: false));
        var at = around.AsSpan().IndexOf(bare);
        if (at < 0)
        {
            return ids;
        }

        var (before, behind) = (around[..at], around[(at + bare.Length)..]);
        return [.. ids.AsSpan().StartsWith(before) ? [] : before, .. ids, .. ids.AsSpan().EndsWith(behind) ? [] : behind];
    }

    private bool HasTemplate(Conversation conversation) => !_templates.IsEmpty || conversation.Template is not null;

    /// <summary>
    /// Without a template the messages' texts stand one after the other, parted by an empty line, and the model continues
    /// the last: what a model that was never taught to chat does best.
    /// </summary>
    private static string Plain(Conversation conversation) =>
        string.Join("\n\n", conversation.Messages.Select(m => m.Content).Where(c => !string.IsNullOrEmpty(c)));

    private RenderedText RenderTemplate(Conversation conversation, CancellationToken cancel)
    {
        var format = _templates.Choose(conversation.Template, conversation.Tools is not null);
        try
        {
            var rendered = format.Template.Render(Variables(conversation, format), TemplateLimits.Default, clock.GetLocalNow(), clock, cancel);
            return conversation.ContinuesLast ? UpToLast(rendered, conversation.Messages[^1].Content ?? "") : rendered;
        }
        catch (TemplateException fault)
        {
            throw TemplateRefusal.Of(fault, field: "messages");
        }
    }

    private Dictionary<string, TemplateValue> Variables(Conversation conversation, ChatFormat format)
    {
        var variables = new Dictionary<string, TemplateValue>(sources.Words, StringComparer.Ordinal)
        {
            ["messages"] = TemplateMessages.Of(conversation.Messages, format.Traits),
            ["tools"] = List(conversation.Tools),
            ["documents"] = List(conversation.Documents),
            ["add_generation_prompt"] = TemplateValue.Of(conversation.AddGenerationPrompt),
        };
        foreach (var (name, value) in conversation.Variables ?? new Dictionary<string, JsonElement>())
        {
            variables[name] = TemplateValue.FromJson(value, fromUser: true);
        }

        return variables;
    }

    private static TemplateValue List(IReadOnlyList<JsonElement>? items) =>
        items is null ? TemplateValue.NotGiven : TemplateValue.ListOf(items.Select(item => TemplateValue.FromJson(item, fromUser: true)));

    /// <summary>The prompt up to the end of the last message, so that the model goes on where it stops.</summary>
    private static RenderedText UpToLast(RenderedText rendered, string content)
    {
        // A template may trim what it is given; a text that is trimmed at its end goes on behind its last letter.
        var sought = content.Trim();
        var at = sought.Length == 0 ? -1 : rendered.Text.LastIndexOf(sought, StringComparison.Ordinal);
        if (at < 0)
        {
            throw new LlmOsException(ErrorCode.TemplateError, "The template does not show the last message as it is, so it cannot be continued.")
            {
                Field = "continue_final_message",
                Hint = "Leave 'continue_final_message' out.",
            };
        }

        var whole = content.TrimStart();
        var end = at + (string.CompareOrdinal(rendered.Text, at, whole, 0, whole.Length) == 0 ? whole.Length : sought.Length);
        return new RenderedText(
            rendered.Text[..end],
            [.. rendered.UserSpans.Where(s => s.Start < end).Select(s => s with { Length = Math.Min(s.Length, end - s.Start) })],
            []);
    }
}
