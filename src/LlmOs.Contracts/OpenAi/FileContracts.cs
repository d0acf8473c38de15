using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>A stored file, as OpenAI's clients read it.</summary>
/// <param name="Kind"><c>file</c>.</param>
/// <param name="CreatedAt">Seconds since 1970.</param>
/// <param name="Purpose">What it was given for: <c>batch</c>, <c>fine-tune</c>, <c>evals</c>, ...</param>
/// <param name="Status"><c>processed</c>: a file is whole when it is listed.</param>
/// <param name="ExpiresAt">Seconds since 1970, when it will be deleted; null: when somebody deletes it.</param>
public sealed record FileObject(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Bytes,
    long CreatedAt,
    string Filename,
    string Purpose,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? ExpiresAt);

/// <summary>What was deleted.</summary>
public sealed record DeletedObject(string Id, [property: JsonPropertyName("object")] string Kind, bool Deleted);

/// <summary>When a file is to be deleted by itself.</summary>
public sealed record ExpiresAfter
{
    /// <summary><c>created_at</c>.</summary>
    [StringLength(20)]
    public string Anchor { get; init; } = "created_at";

    /// <summary>Seconds after it was made: 3,600 (an hour) to 2,592,000 (30 days).</summary>
    public required long Seconds { get; init; }
}

/// <summary>Begins a file that is sent in parts.</summary>
public sealed record FilePartsRequest
{
    [StringLength(256, MinimumLength = 1)]
    public required string Filename { get; init; }

    /// <summary>What the file is for, as in <c>POST /v1/files</c>.</summary>
    [StringLength(40)]
    public required string Purpose { get; init; }

    /// <summary>Of the whole file.</summary>
    [Range(1L, long.MaxValue)]
    public required long Bytes { get; init; }

    /// <summary>The file's media type; not kept.</summary>
    [StringLength(200)]
    public string? MimeType { get; init; }

    public ExpiresAfter? ExpiresAfter { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>Puts the parts together.</summary>
public sealed record CompletePartsRequest
{
    /// <summary>The parts in the order in which they stand in the file. A part that is not named is left out.</summary>
    [Length(1, 10_000)]
    public required IReadOnlyList<string> PartIds { get; init; }

    /// <summary>MD5 of the whole file in hex; another one is refused.</summary>
    [StringLength(32)]
    public string? Md5 { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>A file that is sent in parts.</summary>
/// <param name="Kind"><c>upload</c>.</param>
/// <param name="Status"><c>pending</c>, <c>completed</c>, <c>cancelled</c> or <c>expired</c>.</param>
/// <param name="ExpiresAt">Seconds since 1970, until when parts are taken.</param>
/// <param name="File">What it became; null until it is complete.</param>
public sealed record FilePartsObject(
    string Id,
    [property: JsonPropertyName("object")] string Kind,
    long Bytes,
    long CreatedAt,
    string Filename,
    string Purpose,
    string Status,
    long ExpiresAt,
    FileObject? File);

/// <summary>A part that arrived.</summary>
/// <param name="Kind"><c>upload.part</c>.</param>
public sealed record FilePartObject(string Id, [property: JsonPropertyName("object")] string Kind, long CreatedAt, string UploadId);
