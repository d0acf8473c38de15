using LlmOs.Formats.Templates.Nodes;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Syntax;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates;

/// <summary>
/// A chat template, parsed once: the Jinja that models' authors use, set up as transformers sets it up (blocks trimmed and
/// stripped on the left, loop controls, <c>generation</c>, <c>tojson</c>, <c>raise_exception</c>, <c>strftime_now</c>).
/// Immutable and safe on any thread.
/// </summary>
/// <remarks>
/// Reference: Jinja 3.1, <c>ImmutableSandboxedEnvironment</c>. Values are of a closed set of types, nothing is reflected on,
/// lists and mappings cannot be changed, and every rendering is bounded by <see cref="TemplateLimits"/>.
/// </remarks>
public sealed class ChatTemplate
{
    /// <summary>UTF-16 units; the longest real template has some ten thousand.</summary>
    public const int LongestSource = 1 << 20;

    private readonly IReadOnlyList<Statement> _body;
    private readonly IReadOnlySet<string> _names;

    private ChatTemplate(IReadOnlyList<Statement> body, IReadOnlySet<string> names)
    {
        _body = body;
        _names = names;
    }

    /// <exception cref="TemplateException">It is no template; the message says what was found.</exception>
    public static ChatTemplate Parse(string source)
    {
        if (source.Length > LongestSource)
        {
            throw new TemplateException(TemplateFault.Limit, $"The template has {source.Length} characters; at most {LongestSource} are accepted.");
        }

        var parser = new Parser(Lexer.Read(source));
        return new ChatTemplate(parser.ParseTemplate(), parser.Names);
    }

    /// <summary>Whether a variable of that name is read anywhere.</summary>
    public bool Reads(string name) => _names.Contains(name);

    /// <param name="variables">What the template sees, beside its own functions.</param>
    /// <param name="now">What <c>strftime_now</c> shows.</param>
    /// <param name="clock">Measures the time that rendering takes.</param>
    /// <exception cref="TemplateException">It raised, did what cannot be done, or ran into a limit.</exception>
    public RenderedText Render(
        IReadOnlyDictionary<string, TemplateValue> variables, TemplateLimits limits, DateTimeOffset now, TimeProvider clock, CancellationToken cancel)
    {
        var run = new RenderRun(limits, now, clock, cancel);
        var output = new TextOutput(run);
        run.Output = output;
        try
        {
            Statement.ExecuteAll(_body, run, new Scope(variables), output);
            return output.ToRendered(run.Generated);
        }
        catch (TemplateException fault) when (fault.Line == 0)
        {
            fault.Line = run.Line;
            throw;
        }
    }
}
