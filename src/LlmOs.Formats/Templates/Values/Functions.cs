using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>Arguments as a call gives them.</summary>
internal sealed record CallArguments(IReadOnlyList<TemplateValue> Positional, IReadOnlyList<KeyValuePair<string, TemplateValue>> Named)
{
    public static CallArguments None { get; } = new([], []);

    public static CallArguments Of(params IReadOnlyList<TemplateValue> positional) => new(positional, []);
}

/// <summary>Something that can be called: a function, a method with its owner, a macro.</summary>
internal sealed class FunctionValue(string name, Func<RenderRun, CallArguments, TemplateValue> body, bool isMacro = false) : TemplateValue
{
    public string Name => name;

    public bool IsMacro => isMacro;

    internal override string TypeName => isMacro ? "Macro" : "builtin_function_or_method";

    internal override bool IsTrue => true;

    public TemplateValue Call(RenderRun run, CallArguments arguments) => body(run, arguments);

    internal override void WriteRepr(TextOutput output) => output.Append($"<function {name}>");
}

/// <summary>What <c>namespace()</c> makes: the one value that a template may change.</summary>
internal sealed class NamespaceValue(Dictionary<string, TemplateValue> members) : TemplateValue
{
    internal override string TypeName => "Namespace";

    internal override bool IsTrue => true;

    public TemplateValue? Find(string name) => members.GetValueOrDefault(name);

    public void Set(string name, TemplateValue value) => members[name] = value;

    internal override void WriteRepr(TextOutput output)
    {
        // A namespace may hold itself.
        output.Run.Enter();
        output.Append("<Namespace ");
        new MapValue(members.Select(m => new KeyValuePair<TemplateValue, TemplateValue>(TextValue.Of(m.Key), m.Value))).WriteRepr(output);
        output.Append(">");
        output.Run.Leave();
    }
}
