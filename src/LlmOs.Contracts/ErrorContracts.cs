using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>A refusal under <c>/api/v1</c>, as <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="Type"><c>about:blank</c>: <paramref name="Code"/> says which refusal it is.</param>
/// <param name="Title">The kind of refusal, the same for each of its code.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What was wrong, what was expected, what to do next.</param>
/// <param name="Code">An <see cref="ErrorCode"/> in snake case.</param>
/// <param name="Errors">What is wrong with each field, by its name on the wire; null when no field is at fault.</param>
/// <param name="RequestId">Finds the request in the server's log.</param>
public sealed record ProblemReply(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string[]>? Errors,
    string RequestId);
