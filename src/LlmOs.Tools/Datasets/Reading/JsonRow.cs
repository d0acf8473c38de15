using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>A row that is written as a JSON object.</summary>
internal static class JsonRow
{
    /// <summary>Lists and objects within one another. A page of rows adds two, and an answer may have 64.</summary>
    public const int MaxDepth = 62;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static IReadOnlyList<KeyValuePair<string, object?>> Read(ReadOnlyMemory<byte> json, ReadPlan plan, long row)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Fields(document.RootElement, plan, row);
        }
        catch (JsonException fault)
        {
            throw RowFault.Of(plan.Place, row, $"is not JSON: {Shown.Of(fault.Message.Split(". ")[0].TrimEnd('.'))}.", ErrorCode.CorruptFile, fault);
        }
    }

    public static IReadOnlyList<KeyValuePair<string, object?>> Fields(JsonElement root, ReadPlan plan, long row)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw RowFault.Of(plan.Place, row, $"expected an object such as {{\"text\": \"...\"}}, found {Kind(root.ValueKind)}.", ErrorCode.UnsupportedFormat);
        }

        var count = root.GetPropertyCount();
        if (count > RowLimits.MaxColumns)
        {
            throw RowFault.Of(plan.Place, row, $"has {count} fields; a data set has at most {RowLimits.MaxColumns} columns.", ErrorCode.TooLarge);
        }

        var fields = new List<KeyValuePair<string, object?>>(count);
        foreach (var property in root.EnumerateObject())
        {
            var name = NameOf(property, plan, row);
            if (FaultOf(property.Value) is { } fault)
            {
                throw RowFault.Of(plan.Place, row, $"'{Shown.Of(name)}' {fault}.");
            }

            fields.Add(new(name, RowJson.Value(property.Value)));
        }

        return fields;
    }

    private static string NameOf(JsonProperty property, ReadPlan plan, long row)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException fault)
        {
            throw RowFault.Of(plan.Place, row, "a field's name holds half of a surrogate pair.", ErrorCode.CorruptFile, fault);
        }
    }

    /// <summary>Looks through all texts of a value.</summary>
    private static string? FaultOf(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                try
                {
                    return RowFault.FaultOf(value.GetString()!);
                }
                catch (InvalidOperationException)
                {
                    return "holds half of a surrogate pair"; // what is no UTF-8 was refused before
                }

            case JsonValueKind.Array:
                return value.EnumerateArray().Select(FaultOf).FirstOrDefault(fault => fault is not null);
            case JsonValueKind.Object:
                return value.EnumerateObject().Select(p => FaultOf(p.Value) ?? FaultOfName(p)).FirstOrDefault(fault => fault is not null);
            default:
                return null;
        }
    }

    private static string? FaultOfName(JsonProperty property)
    {
        try
        {
            return RowFault.FaultOf(property.Name);
        }
        catch (InvalidOperationException)
        {
            return "holds half of a surrogate pair";
        }
    }

    private static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
