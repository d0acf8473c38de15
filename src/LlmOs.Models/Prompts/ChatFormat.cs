using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Models.Prompts;

/// <summary>A parsed template and what it takes: found out once, by rendering small conversations with it.</summary>
/// <remarks>
/// Templates do not say whether they go through a content's parts, know a system role, want a call's arguments as text or as an
/// object, or what they make of a message without content, and their sources show it in too many ways to be read for it.
/// </remarks>
internal sealed class ChatFormat(string source, ChatTemplate template)
{
    private const string Needle = "needle7f3a";

    /// <summary>How Python writes what is not there; a template that shows it was not written for a message without content.</summary>
    private const string PythonsNull = "None";
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
        var user = parts && !plain ? User(Part("x")) : User(Text("x"));
        var calls = ProbeCalls(template, user);
        return new ChatTraits(
            ReadsParts: parts,
            NeedsParts: parts && !plain,
            KnowsSystem: plainSystem || !(plain || parts),
            KnowsDeveloper: source.Contains("developer", StringComparison.Ordinal),
            WantsArgumentText: calls.AsText)
        {
            NoContent = Nothings.FirstOrDefault(nothing => IsClean(template, [user, Message("assistant", nothing), user]), Text("")),
            NoContentBesideCalls = calls.Nothing,
            CallsNeedNull = calls.NeedNull,
        };

        bool Shows(params IReadOnlyList<TemplateValue> messages) => ShowsNeedle(template, messages);
    }

    /// <summary>What may stand for a content that is not there, the form in which clients send it first.</summary>
    private static IEnumerable<TemplateValue> Nothings => [TemplateValue.None, Text(""), TemplateValue.ListOf([])];

    /// <summary>How a template wants a message that only calls tools: what stands for its content, and the form of the arguments.</summary>
    private static (TemplateValue Nothing, bool AsText, bool NeedNull) ProbeCalls(ChatTemplate template, TemplateValue user)
    {
        foreach (var nothing in Nothings)
        {
            if (ArgumentForm(nothing) is { } asText)
            {
                return (nothing, asText, ReferenceEquals(nothing, TemplateValue.None) && ArgumentForm(Text("")) is null);
            }
        }

        // It shows no calls at all.
        return (Nothings.FirstOrDefault(nothing => IsClean(template, [user, Calls(nothing, Text("{}"))]), Text("")), false, false);

        // Null where the arguments are not shown in either form.
        bool? ArgumentForm(TemplateValue content) =>
            ShowsCall(content, TemplateValue.MapOf([new("city", Text(Needle))])) ? false
            : ShowsCall(content, Text($"{{\"city\": \"{Needle}\"}}")) ? true
            : null;

        bool ShowsCall(TemplateValue content, TemplateValue arguments) => ShowsNeedle(template, [user, Calls(content, arguments)]) && IsClean(template, [user, Calls(content, arguments)]);
    }

    /// <summary>Whether the needle came out. A content that was written out as Python or JSON writes lists was not gone through.</summary>
    private static bool ShowsNeedle(ChatTemplate template, IReadOnlyList<TemplateValue> messages) => Try(template, messages) is { } text
        && text.Contains(Needle, StringComparison.Ordinal)
        && !text.Contains("'text': '" + Needle, StringComparison.Ordinal) && !text.Contains("\"text\": \"" + Needle, StringComparison.Ordinal);

    /// <summary>Whether the template takes the messages and writes no <c>None</c> that it does not write otherwise.</summary>
    private static bool IsClean(ChatTemplate template, IReadOnlyList<TemplateValue> messages) =>
        Try(template, messages) is { } text && Count(text) <= Count(Try(template, [messages[0]]) ?? "");

    private static int Count(string text) => text.AsSpan().Count(PythonsNull);

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

    private static TemplateValue Calls(TemplateValue content, TemplateValue arguments) => TemplateValue.MapOf(
    [
        new("role", Text("assistant")),
        new("content", content),
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
internal sealed record ChatTraits(bool ReadsParts, bool NeedsParts, bool KnowsSystem, bool KnowsDeveloper, bool WantsArgumentText)
{
    /// <summary>What stands for the content of a message that has none.</summary>
    public required TemplateValue NoContent { get; init; }

    /// <summary>The same for a message that calls tools.</summary>
    public required TemplateValue NoContentBesideCalls { get; init; }

    /// <summary>It shows calls only where the content is null, so an empty one is as good as none.</summary>
    public required bool CallsNeedNull { get; init; }
}
