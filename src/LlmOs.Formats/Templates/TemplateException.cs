namespace LlmOs.Formats.Templates;

/// <summary>Why a template gave no text.</summary>
public enum TemplateFault
{
    /// <summary>The source is not a template.</summary>
    Syntax,

    /// <summary>The template itself refused its input with <c>raise_exception</c>.</summary>
    Raised,

    /// <summary>Something was done with a name or a member that does not exist.</summary>
    Undefined,

    /// <summary>An operation that the value's type does not have.</summary>
    Type,

    /// <summary>A value that an operation cannot take.</summary>
    Value,

    /// <summary>Something that templates may not do, such as changing a list.</summary>
    Security,

    /// <summary>A filter, test or tag that does not exist here.</summary>
    Unsupported,

    /// <summary>A bound on steps, text, nesting or time; the message names it.</summary>
    Limit,
}

/// <summary>A template that cannot be read or rendered; the message is the one that Jinja gives, or the template's own.</summary>
public sealed class TemplateException(TemplateFault fault, string message, int line = 0) : Exception(message)
{
    public TemplateFault Fault { get; } = fault;

    /// <summary>The line of the source, from 1; 0 when no line is at fault.</summary>
    public int Line { get; internal set; } = line;

    internal static TemplateException Type(string message) => new(TemplateFault.Type, message);

    internal static TemplateException Value(string message) => new(TemplateFault.Value, message);

    internal static TemplateException Limit(string message) => new(TemplateFault.Limit, message);

    internal static TemplateException Undefined(string message) => new(TemplateFault.Undefined, message);
}
