using System.Text.Json;
using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>A value that a template sees. The set of types is closed; each behaves as the Python type that it stands for.</summary>
public abstract class TemplateValue
{
    private protected TemplateValue()
    {
    }

    /// <summary>As Python names the type in its messages.</summary>
    internal abstract string TypeName { get; }

    internal abstract bool IsTrue { get; }

    /// <summary>Lists and mappings within each other; 0 for what holds nothing.</summary>
    internal virtual int Depth => 0;

    /// <summary>What <c>str()</c> gives.</summary>
    internal virtual void WriteText(TextOutput output) => WriteRepr(output);

    /// <summary>What <c>repr()</c> gives.</summary>
    internal abstract void WriteRepr(TextOutput output);

    /// <summary>The items that a loop sees; null when there is nothing to loop over.</summary>
    internal virtual IEnumerable<TemplateValue>? Items(RenderRun run) => null;

    /// <summary>What <c>len()</c> gives; null when the type has no length.</summary>
    internal virtual int? Length => null;

    /// <summary>None, <c>null</c> in JSON.</summary>
    public static TemplateValue None => NoneValue.Instance;

    /// <summary>
    /// What a request did not give: None, but a loop over it turns zero times. Templates of models that always have tools
    /// loop over them unasked.
    /// </summary>
    public static TemplateValue NotGiven => NoneValue.NotGiven;

    public static TemplateValue Of(bool value) => BoolValue.Of(value);

    public static TemplateValue Of(long value) => IntValue.Of(value);

    /// <param name="fromUser">Whether it came with the request; see <see cref="RenderedText.UserSpans"/>.</param>
    public static TemplateValue Of(string text, bool fromUser) => fromUser ? TextValue.User(text) : TextValue.Of(text);

    public static TemplateValue ListOf(IEnumerable<TemplateValue> items) => new ListValue([.. items]);

    /// <summary>A mapping; of equal names the last counts, at the place of the first.</summary>
    public static TemplateValue MapOf(IEnumerable<KeyValuePair<string, TemplateValue>> entries) =>
        new MapValue(entries.Select(e => new KeyValuePair<TemplateValue, TemplateValue>(TextValue.Of(e.Key), e.Value)));

    /// <summary>A value as Python's JSON reader makes it: whole numbers stay whole, order is kept.</summary>
    /// <param name="fromUser">Whether the texts in it, names of members among them, came with the request.</param>
    public static TemplateValue FromJson(JsonElement json, bool fromUser) => JsonValues.Read(json, fromUser);
}
