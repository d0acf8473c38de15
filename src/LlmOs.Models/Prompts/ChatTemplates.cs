using System.Collections.Concurrent;
using LlmOs.Contracts;
using LlmOs.Formats.Templates;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Prompts;

/// <summary>Templates that were parsed, by their source: a template is parsed once for as long as its model is loaded.</summary>
/// <param name="sources">The model's templates by name; one alone is named <c>default</c>.</param>
internal sealed class ChatTemplates(IReadOnlyDictionary<string, string> sources)
{
    private const string Default = "default";
    private const string ForTools = "tool_use";

    private readonly ConcurrentDictionary<string, ChatFormat> _parsed = new(StringComparer.Ordinal);

    public bool IsEmpty => sources.Count == 0;

    /// <summary>Whether any of them shows tools to the model.</summary>
    public bool KnowsTools => sources.Values.Any(source => source.Contains("tools", StringComparison.Ordinal));

    /// <summary>The template for a conversation: the one that it names or brings, else that for tools, else the usual one.</summary>
    /// <exception cref="LlmOsException">There is none, or it cannot be read.</exception>
    public ChatFormat Choose(string? asked, bool withTools)
    {
        if (asked is not null && !sources.ContainsKey(asked))
        {
            return Parse(asked, "chat_template"); // not cached: requests could fill the memory with templates
        }

        var name = asked
            ?? (withTools && sources.ContainsKey(ForTools) ? ForTools
            : sources.ContainsKey(Default) ? Default
            : sources.Count == 1 ? sources.Keys.First()
            : throw new LlmOsException(ErrorCode.TemplateError, $"The model has no template named '{Default}', and several others: {string.Join(", ", sources.Keys.Order(StringComparer.Ordinal))}.")
            {
                Field = "chat_template",
                Hint = "Name one of them in 'chat_template'.",
            });
        return _parsed.GetOrAdd(name, _ => Parse(sources[name], field: null));
    }

    private static ChatFormat Parse(string source, string? field)
    {
        try
        {
            return new ChatFormat(source, ChatTemplate.Parse(source));
        }
        catch (TemplateException fault)
        {
            throw TemplateRefusal.Of(fault, field);
        }
    }
}

/// <summary>What a template says no with, as a refusal.</summary>
internal static class TemplateRefusal
{
    public static LlmOsException Of(TemplateException fault, string? field) => new(
        ErrorCode.TemplateError,
        fault.Fault is TemplateFault.Syntax or TemplateFault.Unsupported or TemplateFault.Limit && fault.Line > 0 ? $"{fault.Message} (line {fault.Line} of the template)" : fault.Message,
        fault)
    {
        Field = field,
    };
}
