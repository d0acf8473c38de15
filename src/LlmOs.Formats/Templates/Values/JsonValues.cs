using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace LlmOs.Formats.Templates.Values;

/// <summary>JSON as Python reads it.</summary>
internal static class JsonValues
{
    public static TemplateValue Read(JsonElement json, bool fromUser) => json.ValueKind switch
    {
        JsonValueKind.Object => new MapValue(json.EnumerateObject()
            .Select(p => new KeyValuePair<TemplateValue, TemplateValue>(Text(() => p.Name, fromUser), Read(p.Value, fromUser)))),
        JsonValueKind.Array => new ListValue([.. json.EnumerateArray().Select(item => Read(item, fromUser))]),
        JsonValueKind.String => Text(() => json.GetString()!, fromUser),
        JsonValueKind.Number => Number(json.GetRawText()),
        JsonValueKind.True => BoolValue.True,
        JsonValueKind.False => BoolValue.False,
        _ => NoneValue.Instance,
    };

    private static TextValue Text(Func<string> read, bool fromUser)
    {
        try
        {
            return fromUser ? TextValue.User(read()) : TextValue.Of(read());
        }
        catch (InvalidOperationException)
        {
            throw TemplateException.Value("A text holds half a surrogate pair, which is no character.");
        }
    }

    private static TemplateValue Number(string digits) =>
        digits.AsSpan().ContainsAny('.', 'e', 'E') ? new FloatValue(double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture))
        : digits.Length < 19 ? IntValue.Of(long.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
        : digits.Length <= 4_300 ? IntValue.Of(BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
        : throw new TemplateException(TemplateFault.Limit, $"A whole number has {digits.Length} digits; at most 4300 are accepted.");
}
