using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>A list, an object, or a value of a column that holds several types, as JSON.</summary>
internal readonly record struct RawJson(string Text);

/// <summary>
/// A row: its values in the order of the columns. A value is null, <see cref="string"/>, <see cref="long"/>,
/// <see cref="double"/>, <see cref="bool"/> or <see cref="RawJson"/>.
/// </summary>
/// <param name="Number">Counted from 1, within its version.</param>
internal sealed record Row(long Number, string Split, object?[] Values);

/// <summary>Values as JSON, everywhere in the same form.</summary>
internal static class RowJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Utf8JsonWriter Writer(System.Buffers.IBufferWriter<byte> to) => new(to, Plain);

    public static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case RawJson json:
                writer.WriteRawValue(json.Text, skipInputValidation: true);
                break;
            default:
                throw new InvalidOperationException($"A row holds no {value.GetType().Name}.");
        }
    }

    /// <summary>Writes a row as an object of the columns.</summary>
    public static void WriteObject(Utf8JsonWriter writer, RowSchema schema, object?[] values)
    {
        writer.WriteStartObject();
        for (var column = 0; column < values.Length; column++)
        {
            writer.WritePropertyName(schema.Columns[column].Name);
            Write(writer, values[column]);
        }

        writer.WriteEndObject();
    }

    /// <summary>An element as text in the platform's own form: no white space, no escapes that need not be.</summary>
    public static RawJson Raw(JsonElement element)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = Writer(buffer))
        {
            element.WriteTo(writer);
        }

        return new RawJson(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>Any value as JSON.</summary>
    public static RawJson Raw(object? value)
    {
        if (value is RawJson json)
        {
            return json;
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = Writer(buffer))
        {
            Write(writer, value);
        }

        return new RawJson(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>A whole number that 64 bits do not hold is no fraction: as one it would lose digits, and ids would become equal.</summary>
    private static bool IsFraction(JsonElement number) => number.GetRawText().AsSpan().ContainsAny('.', 'e', 'E');

    /// <summary>A value as it stands in JSON; numbers that fit are whole.</summary>
    public static object? Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out var whole) ? whole : IsFraction(element) && element.TryGetDouble(out var number) && double.IsFinite(number) ? number : Raw(element),
        _ => Raw(element),
    };
}
