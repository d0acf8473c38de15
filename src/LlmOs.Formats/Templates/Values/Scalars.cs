using System.Globalization;
using System.Numerics;
using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

internal sealed class NoneValue : TemplateValue
{
    public static readonly NoneValue Instance = new();

    /// <summary>See <see cref="TemplateValue.NotGiven"/>.</summary>
    public static new readonly NoneValue NotGiven = new();

    internal override string TypeName => "NoneType";

    internal override bool IsTrue => false;

    internal override int? Length => ReferenceEquals(this, NotGiven) ? 0 : null;

    internal override IEnumerable<TemplateValue>? Items(RenderRun run) => ReferenceEquals(this, NotGiven) ? [] : null;

    internal override void WriteRepr(TextOutput output) => output.Append("None");
}

/// <summary>A name or member that does not exist: empty as a text and in a loop, an error in most other uses.</summary>
/// <param name="message">What is said when it is used.</param>
internal sealed class UndefinedValue(string message) : TemplateValue
{
    internal override string TypeName => "Undefined";

    internal override bool IsTrue => false;

    internal override int? Length => 0;

    internal override IEnumerable<TemplateValue> Items(RenderRun run) => [];

    internal override void WriteText(TextOutput output)
    {
    }

    internal override void WriteRepr(TextOutput output) => output.Append("Undefined");

    public TemplateException Fault() => TemplateException.Undefined(message);

    public static UndefinedValue Name(string name) => new($"'{name}' is undefined");

    public static UndefinedValue Member(TemplateValue owner, string name) => new($"{Quoted(owner)} has no attribute {PythonRepr.Quote(name)}");

    public static UndefinedValue Element(TemplateValue owner, string key) => new($"{Shown(owner)} has no element {key}");

    private static string Quoted(TemplateValue owner) => PythonRepr.Quote(Shown(owner));

    private static string Shown(TemplateValue owner) => owner switch
    {
        NoneValue => "None",
        NamespaceValue => "jinja2.utils.Namespace object",
        LoopValue => "jinja2.runtime.LoopContext object",
        _ => $"{owner.TypeName} object",
    };
}

internal sealed class BoolValue : TemplateValue
{
    public static readonly BoolValue True = new();
    public static readonly BoolValue False = new();

    internal override string TypeName => "bool";

    internal override bool IsTrue => ReferenceEquals(this, True);

    public static new BoolValue Of(bool value) => value ? True : False;

    internal override void WriteRepr(TextOutput output) => output.Append(IsTrue ? "True" : "False");
}

/// <summary>A whole number of any size up to a bound that keeps arithmetic cheap.</summary>
internal sealed class IntValue(BigInteger value) : TemplateValue
{
    /// <summary>As many as Python turns into a text.</summary>
    private const int MaxBits = 14_000;

    private static readonly IntValue[] Small = [.. Enumerable.Range(-1, 258).Select(n => new IntValue(n))];

    public BigInteger Value { get; } = value;

    internal override string TypeName => "int";

    internal override bool IsTrue => !Value.IsZero;

    public static new IntValue Of(long value) => value is >= -1 and < 257 ? Small[value + 1] : new IntValue(value);

    public static IntValue Of(BigInteger value) =>
        value >= -1 && value < 257 ? Small[(int)value + 1]
        : value.GetBitLength() <= MaxBits ? new IntValue(value)
        : throw new TemplateException(TemplateFault.Limit, $"The template made a whole number of more than {MaxBits} bits.");

    internal override void WriteRepr(TextOutput output) => output.Append(Value.ToString(CultureInfo.InvariantCulture));
}

internal sealed class FloatValue(double value) : TemplateValue
{
    public double Value { get; } = value;

    internal override string TypeName => "float";

    internal override bool IsTrue => Value != 0;

    internal override void WriteRepr(TextOutput output) => output.Append(PythonRepr.OfFloat(Value));
}
