using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Models.Prompts;

/// <summary>A parsed template and what it takes: found out once, by rendering small conversations with it.</summary>
/// <remarks>
/// Templates do not say whether they go through a content's parts, know a system role, or want a call's arguments as text or
/// as an object, and their sources show it in too many ways to be read for it.
/// </remarks>
internal sealed class ChatFormat(string source, ChatTemplate template)
{
    private const string Needle = "needle7f3a";
    private static readonly DateTimeOffset AnyDay = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TemplateLimits ProbeLimits = new() { Steps = 200_000, TextLength = 1 << 20, TotalText = 4 << 20, Time = TimeSpan.FromSeconds(1) };

    private readonly Lazy<ChatTraits> _traits = new(() => Probe(template, source));

    public ChatTemplate Template => template;

    public ChatTraits Traits => _traits.Value;

    private static ChatTraits Probe(ChatTemplate template, string source)
    {
        var plain = Shows(User(Text(Needle)));
        var parts = Shows(User(Part(Needle)));
        var system = Shows(Message("system", Text(Needle)), User(Text("x")));
        var plainSystem = plain || !parts ? system : Shows(Message("system", Part(Needle)), User(Part("x")));
        return new ChatTraits(
            ReadsParts: parts,
            NeedsParts: parts && !plain,
            KnowsSystem: plainSystem || !(plain || parts),
            KnowsDeveloper: source.Contains("developer", StringComparison.Ordinal),
            WantsArgumentText: !Shows(User(Text("x")), Calls(TemplateValue.MapOf([new("city", Text(Needle))])))
                && Shows(User(Text("x")), Calls(Text($"{{\"city\": \"{Needle}\"}}"))));

        // A content that was written out as Python or JSON writes lists was not gone through.
        bool Shows(params IReadOnlyList<TemplateValue> messages) => Try(template, messages) is { } text
            && text.Contains(Needle, StringComparison.Ordinal)
            && !text.Contains("'text': '" + Needle, StringComparison.Ordinal) && !text.Contains("\"text\": \"" + Needle, StringComparison.Ordinal);
    }

    private static string? Try(ChatTemplate template, IReadOnlyList<TemplateValue> messages)
    {
        var variables = new Dictionary<string, TemplateValue>
        {
            ["messages"] = TemplateValue.ListOf(messages),
            ["tools"] = TemplateValue.NotGiven,
            ["documents"] = TemplateValue.NotGiven,
            ["add_generation_prompt"] = TemplateValue.Of(true),
            ["bos_token"] = Text(""),
            ["eos_token"] = Text(""),
        };
        try
        {
            return template.Render(variables, ProbeLimits, AnyDay, TimeProvider.System, CancellationToken.None).Text;
        }
        catch (TemplateException)
        {
            return null; // a probe that is refused is an answer too
        }
    }

    private static TemplateValue Text(string text) => TemplateValue.Of(text, fromUser: false);

    private static TemplateValue Part(string text) => TemplateValue.ListOf([TemplateValue.MapOf([new("type", Text("text")), new("text", Text(text))])]);

    private static TemplateValue User(TemplateValue content) => Message("user", content);

    private static TemplateValue Message(string role, TemplateValue content) => TemplateValue.MapOf([new("role", Text(role)), new("content", content)]);

    private static TemplateValue Calls(TemplateValue arguments) => TemplateValue.MapOf(
    [
        new("role", Text("assistant")),
        new("content", TemplateValue.None),
        new("tool_calls", TemplateValue.ListOf([TemplateValue.MapOf(
        [
            new("id", Text("abcdefghi")),
            new("type", Text("function")),
            new("function", TemplateValue.MapOf([new("name", Text("f")), new("arguments", arguments)])),
        ])])),
    ]);
}

/// <summary>What a template takes.</summary>
/// <param name="ReadsParts">It goes through the parts of a content.</param>
/// <param name="NeedsParts">It shows nothing of a content that is a text.</param>
/// <param name="KnowsSystem">It shows what a system message says.</param>
/// <param name="WantsArgumentText">It wants a call's arguments as JSON text, not as an object.</param>
internal sealed record ChatTraits(bool ReadsParts, bool NeedsParts, bool KnowsSystem, bool KnowsDeveloper, bool WantsArgumentText);
