using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Http;

/// <summary>Goes through a record of the contracts and everything in it, and notes what breaks its annotations.</summary>
internal static class ContractWalker
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<Field>> Plans = new();

    /// <summary>True for records that come from the wire.</summary>
    public static bool IsContract(Type type) =>
        (type.Assembly == typeof(LlmOsJson).Assembly || type.IsDefined(typeof(WireContractAttribute), inherit: false)) && !type.IsEnum && !typeof(Delegate).IsAssignableFrom(type);

    /// <param name="path">The path of <paramref name="value"/> on the wire; empty at the root.</param>
    /// <param name="isUnion">The value has a converter of its own, or lies in one that has.</param>
    public static void Walk(object? value, string path, Faults faults, bool isUnion = false)
    {
        if (value is null || faults.IsFull)
        {
            return;
        }

        isUnion |= value.GetType().IsDefined(typeof(JsonConverterAttribute), inherit: true);
        foreach (var field in Plans.GetOrAdd(value.GetType(), PlanOf))
        {
            // Within a union only the union itself has a name on the wire.
            var name = isUnion ? path : path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            var content = field.Read(value);
            if (content is null)
            {
                if (!field.MayBeNull)
                {
                    faults.Add(name, "must not be null.");
                }

                continue;
            }

            Apply(field.Rules, content, name, faults);
            WalkContent(content, name, isUnion && !field.LengthIsStated ? null : field.MaxCharacters, field.MayHoldNul, faults, isUnion);
        }
    }

    public static void Apply(IReadOnlyList<ValidationAttribute> rules, object? value, string name, Faults faults)
    {
        foreach (var rule in rules)
        {
            if (!rule.IsValid(value))
            {
                faults.Add(name, Describe(rule, name));
            }
        }
    }

    private static void WalkContent(object content, string name, int? maxCharacters, bool mayHoldNul, Faults faults, bool isUnion)
    {
        switch (content)
        {
            case string text:
                if (!mayHoldNul && text.Contains('\0', StringComparison.Ordinal))
                {
                    faults.Add(name, "the text holds the character U+0000, which is not accepted.");
                }

                if (maxCharacters is { } max && text.Length > max)
                {
                    faults.Add(name, $"has {text.Length} characters; at most {max} are accepted.");
                }

                break;
            case double number when !double.IsFinite(number):
            case float single when !float.IsFinite(single):
                faults.Add(name, "is not a finite number.");
                break;
            case JsonElement or JsonDocument:
                break; // Free-form JSON is checked by the code that reads it.
            case IDictionary map:
                foreach (DictionaryEntry entry in map)
                {
                    if (entry.Value is { } item)
                    {
                        WalkContent(item, $"{name}.{entry.Key}", maxCharacters, mayHoldNul, faults, isUnion);
                    }
                }

                break;
            case IEnumerable list when !content.GetType().IsArray || !content.GetType().GetElementType()!.IsPrimitive:
                var index = 0;
                foreach (var item in list)
                {
                    if (faults.IsFull)
                    {
                        break;
                    }

                    var place = isUnion ? name : $"{name}[{index}]";
                    if (item is not null)
                    {
                        WalkContent(item, place, maxCharacters, mayHoldNul, faults, isUnion);
                    }
                    else if (!MayHoldNull(content.GetType()))
                    {
                        faults.Add(place, "must not be null.");
                    }

                    index++;
                }

                break;
            default:
                if (IsContract(content.GetType()))
                {
                    Walk(content, name, faults, isUnion);
                }

                break;
        }
    }

    /// <summary>Nulls in a list of references are refused: a handler never expects one.</summary>
    private static bool MayHoldNull(Type list) =>
        list.IsGenericType && Nullable.GetUnderlyingType(list.GetGenericArguments()[0]) is not null;

    private static IReadOnlyList<Field> PlanOf(Type type)
    {
        if (!IsContract(type))
        {
            return [];
        }

        var nullability = new NullabilityInfoContext();
        return [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanRead && p.GetIndexParameters().Length == 0 && p.GetCustomAttribute<JsonIgnoreAttribute>()?.Condition != JsonIgnoreCondition.Always)
            .Where(p => p.GetCustomAttribute<JsonExtensionDataAttribute>() is null)
            .Select(p => new Field(
                p.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name),
                p.GetValue,
                nullability.Create(p).ReadState != NullabilityState.NotNull,
                [.. p.GetCustomAttributes<ValidationAttribute>(), .. ParameterRules(type, p)],
                MaxCharacters(type, p),
                StatedLength(type, p) is not null,
                p.IsDefined(typeof(AnyTextAttribute))))];
    }

    /// <summary>On a positional record an attribute lands on the constructor's parameter unless <c>property:</c> is said.</summary>
    private static IEnumerable<ValidationAttribute> ParameterRules(Type type, PropertyInfo property) =>
        ParameterOf(type, property)?.GetCustomAttributes<ValidationAttribute>() ?? [];

    private static int? MaxCharacters(Type type, PropertyInfo property)
    {
        if (StatedLength(type, property) is { } stated)
        {
            return stated;
        }

        var hasRule = property.PropertyType == typeof(string)
            && property.GetCustomAttributes<ValidationAttribute>().Concat(ParameterRules(type, property))
                .Any(rule => rule is StringLengthAttribute or MaxLengthAttribute or LengthAttribute);
        var isUnion = property.PropertyType.IsDefined(typeof(JsonConverterAttribute), inherit: true);
        return hasRule || isUnion ? null : TextLengthAttribute.Default;
    }

    private static int? StatedLength(Type type, PropertyInfo property) =>
        property.GetCustomAttribute<TextLengthAttribute>()?.Max ?? ParameterOf(type, property)?.GetCustomAttribute<TextLengthAttribute>()?.Max;

    private static ParameterInfo? ParameterOf(Type type, PropertyInfo property) =>
        type.GetConstructors().SelectMany(c => c.GetParameters()).FirstOrDefault(p => p.Name == property.Name && p.ParameterType == property.PropertyType);

    private static string Describe(ValidationAttribute rule, string name) => rule switch
    {
        RangeAttribute range => $"must be between {range.Minimum} and {range.Maximum}.",
        StringLengthAttribute { MinimumLength: > 0 } text => $"must have {text.MinimumLength} to {text.MaximumLength} characters.",
        StringLengthAttribute text => $"may have at most {text.MaximumLength} characters.",
        LengthAttribute list => $"must hold {list.MinimumLength} to {list.MaximumLength} items.",
        MaxLengthAttribute list => $"may hold at most {list.Length} items.",
        MinLengthAttribute list => $"must hold at least {list.Length} items.",
        RequiredAttribute => "is required.",
        RegularExpressionAttribute pattern when pattern.ErrorMessage is null => $"must match {pattern.Pattern}.",
        AllowedValuesAttribute allowed => $"must be one of {string.Join(", ", allowed.Values)}.",
        _ => rule.FormatErrorMessage(name),
    };

    /// <param name="MaxCharacters">Null where an annotation says it.</param>
    private sealed record Field(string Name, Func<object, object?> Read, bool MayBeNull, IReadOnlyList<ValidationAttribute> Rules, int? MaxCharacters, bool LengthIsStated, bool MayHoldNul);
}
