using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Server.Http;

/// <summary>Says of a request that could not be read which field is at fault and why, in the caller's words instead of the framework's.</summary>
internal static partial class BadRequests
{
    private const int MaxFieldCharacters = 200;
    private static readonly string[] IsRequired = ["is required."];

    public static LlmOsException Describe(BadHttpRequestException failure, HttpRequest request)
    {
        if (failure.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return new LlmOsException(ErrorCode.RequestTooLarge, "The body is larger than is accepted here.");
        }

        if (failure.StatusCode == StatusCodes.Status415UnsupportedMediaType)
        {
            return new LlmOsException(ErrorCode.UnsupportedMediaType, $"The content type '{request.ContentType}' is not accepted here.") { Hint = "Send application/json, or what the documentation of the route names." };
        }

        if (failure.InnerException is JsonException json)
        {
            return Describe(json);
        }

        if (Parameter().Match(failure.Message) is { Success: true } parameter)
        {
            var (type, name, value) = (parameter.Groups["type"].Value, AsWritten(parameter.Groups["name"].Value, request), parameter.Groups["value"].Value);
            var shown = value.Length > 50 ? value[..50] + "..." : value;
            return LlmOsException.Invalid(name, $"{name}: '{shown}' is not {Expected(type)}.");
        }

        if (Missing().Match(failure.Message) is { Success: true } missing)
        {
            var name = missing.Groups["name"].Value;
            return LlmOsException.Invalid(name, $"{name}: is required.");
        }

        return failure.Message.Contains("body", StringComparison.Ordinal)
            ? new LlmOsException(ErrorCode.InvalidRequest, "The request has no body that can be read; expected a JSON object.") { Field = "body" }
            : new LlmOsException(ErrorCode.InvalidRequest, "The request could not be read.");
    }

    /// <summary>The framework names a parameter within a record as the property is called; the caller knows the query's key.</summary>
    private static string AsWritten(string name, HttpRequest request) =>
        request.Query.Keys.FirstOrDefault(key => key.Replace("_", "", StringComparison.Ordinal).Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;

    public static LlmOsException Describe(JsonException failure)
    {
        var field = FieldOf(failure.Path + (failure as JsonPartException)?.Part);
        if (Required().Match(failure.Message) is { Success: true } required)
        {
            var names = Quoted().Matches(required.Groups["names"].Value).Select(match => Join(field, match.Groups[1].Value)).DefaultIfEmpty(field.Length > 0 ? field : "body").ToList();
            return new LlmOsException(ErrorCode.InvalidRequest, $"{names[0]}: is required.")
            {
                Field = names[0],
                Errors = names.ToDictionary(name => name, _ => IsRequired),
            };
        }

        if (Duplicate().Match(failure.Message) is { Success: true } duplicate)
        {
            var name = field.EndsWith(duplicate.Groups["name"].Value, StringComparison.Ordinal) ? field : Join(field, duplicate.Groups["name"].Value);
            return new LlmOsException(ErrorCode.InvalidJson, $"{name}: stands more than once in its object.") { Field = name };
        }

        if (failure.Message.Contains("maximum configured depth", StringComparison.Ordinal))
        {
            return new LlmOsException(ErrorCode.InvalidJson, $"{Named(field)} is nested deeper than 64 levels.") { Field = field.Length > 0 ? field : "body" };
        }

        if (failure.InnerException is JsonException)
        {
            var place = failure.LineNumber is { } line ? $" (line {line + 1}, byte {failure.BytePositionInLine})" : "";
            return new LlmOsException(ErrorCode.InvalidJson, $"{Named(field)} is not valid JSON{place}.") { Field = field.Length > 0 ? field : "body" };
        }

        return new LlmOsException(ErrorCode.InvalidRequest, $"{Named(field)}: {Reason(failure)}") { Field = field.Length > 0 ? field : "body" };
    }

    private static string Reason(JsonException failure)
    {
        if (failure.InnerException is InvalidOperationException inner && inner.Message.Contains("UTF-16", StringComparison.Ordinal))
        {
            return RequestText.LoneSurrogate;
        }

        if (failure.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return "is no field of this request.";
        }

        if (Conversion().Match(failure.Message) is { Success: true } conversion)
        {
            return $"expected {Expected(conversion.Groups["type"].Value)}.";
        }

        // The message of one of our converters; the framework appends the path.
        var end = failure.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        return end < 0 ? failure.Message : failure.Message[..end];
    }

    private static string Expected(string type) => TypeName(type) switch
    {
        "String" or "string" => "a string",
        "Boolean" or "bool" => "true or false",
        "Int32" or "int" => "a whole number between -2147483648 and 2147483647",
        "Int64" or "long" => "a whole number between -9223372036854775808 and 9223372036854775807",
        "Double" or "Single" or "Decimal" or "double" or "float" => "a number",
        "DateTimeOffset" or "DateTime" => "a time such as 2026-02-03T04:05:06Z",
        var name when name.Contains("List", StringComparison.Ordinal) || name.Contains("[]", StringComparison.Ordinal) => "a list",
        var name when name.Contains("Dictionary", StringComparison.Ordinal) => "an object",
        var name => Contract(name) switch
        {
            null => "a value of another form; see the documentation of the route",
            { IsEnum: true } words => $"one of {string.Join(", ", Enum.GetNames(words).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))}",
            _ => "an object",
        },
    };

    private static Type? Contract(string name) => typeof(LlmOsJson).Assembly.GetTypes().FirstOrDefault(type => type.Name == name);

    /// <summary>The last part of a type's name, without <c>Nullable</c> around it.</summary>
    private static string TypeName(string type)
    {
        var inner = NullableType().Match(type) is { Success: true } nullable ? nullable.Groups[1].Value : type.TrimEnd('?');
        var generic = inner.IndexOf('`', StringComparison.Ordinal);
        inner = generic < 0 ? inner : inner[..generic];
        return inner[(inner.LastIndexOf('.') + 1)..];
    }

    private static string FieldOf(string? path)
    {
        var field = path is null or "" or "$" ? "" : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path[1..];
        return field.Length <= MaxFieldCharacters ? field : field[..MaxFieldCharacters];
    }

    private static string Join(string field, string name) => field.Length == 0 ? name : $"{field}.{name}";

    private static string Named(string field) => field.Length == 0 ? "The body" : field;

    [GeneratedRegex("""^Failed to bind parameter "(?<type>.+?) (?<name>[^ ]+)" from "(?<value>.*)"\.$""", RegexOptions.Singleline)]
    private static partial Regex Parameter();

    [GeneratedRegex("""^Required parameter "(?<type>.+) (?<name>[^ ]+)" was not provided from (?<source>query|route|header|form)""")]
    private static partial Regex Missing();

    [GeneratedRegex("""required properties including: (?<names>.+?)\.(?: |$)""")]
    private static partial Regex Required();

    [GeneratedRegex("""'([^']+)'""")]
    private static partial Regex Quoted();

    [GeneratedRegex("""[Dd]uplicate property '(?<name>[^']+)'""")]
    private static partial Regex Duplicate();

    [GeneratedRegex("""could not be converted to (?<type>\S+?)\. Path""")]
    private static partial Regex Conversion();

    [GeneratedRegex("""^(?:System\.)?Nullable(?:`1)?(?:\[\[?|<)([^,\]>]+)""")]
    private static partial Regex NullableType();
}
