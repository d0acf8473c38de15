using System.Security.Claims;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Files;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi.Files;

/// <summary><c>/v1/uploads</c>: files that are sent in parts.</summary>
internal static class FilePartEndpoints
{
    /// <summary>What the form around a part may add to it.</summary>
    private const long MaxForm = 1 << 20;

    public static void MapFilesInParts(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/uploads", Begin)
            .WithName("BeginFileInParts")
            .WithSummary("Begins a file that is sent in parts.")
            .WithDescription("Parts are taken for an hour, in any order and several at once; `complete` says in which order they stand in the file.")
            .WithRequestExample("""{"filename":"train.jsonl","purpose":"fine-tune","bytes":104857600,"mime_type":"text/jsonl"}""")
            .Answers<FilePartsObject>();
        routes.MapPost("/v1/uploads/{id}/parts", AddPart)
            .WithName("AddFilePart")
            .WithSummary("Sends a part of a file: a form with `data`, of at most 64 MiB.")
            .WithMetadata(new RequestSizeLimitAttribute(FilesInParts.MaxPart + MaxForm))
            .Accepts<PartForm>("multipart/form-data")
            .Answers<FilePartObject>();
        routes.MapPost("/v1/uploads/{id}/complete", Complete)
            .WithName("CompleteFileInParts")
            .WithSummary("Makes a file of the named parts, in their order.")
            .WithRequestExample("""{"part_ids":["part_0123456789abcdef01234567"]}""")
            .Answers<FilePartsObject>();
        routes.MapPost("/v1/uploads/{id}/cancel", Cancel)
            .WithName("CancelFileInParts")
            .WithSummary("Gives up a file in parts; what arrived is deleted.")
            .Answers<FilePartsObject>();
    }

    private static async Task<Ok<FilePartsObject>> Begin(FilePartsRequest request, HttpResponse response, ClaimsPrincipal user, LlmOsDb db, FilesInParts parts, CancellationToken cancel)
    {
        AnswerHeaders.Warn(response, request.Unknown);
        return TypedResults.Ok(ToObject(await parts.BeginAsync(db, FileOwner.Of(user), request, cancel), parts));
    }

    private static async Task<Ok<FilePartObject>> AddPart(string id, HttpRequest request, ClaimsPrincipal user, LlmOsDb db, ClientFiles files, FilesInParts parts, CancellationToken cancel)
    {
        var parted = await parts.RequirePendingAsync(db, FileOwner.Of(user), id, cancel);
        files.RequireRoom(request.ContentLength);
        Blob? sent = null;
        await FormParts.ReadAsync(request, "data", TakeAsync, cancel);
        if (sent is not { Bytes: > 0 and <= FilesInParts.MaxPart })
        {
            throw LlmOsException.Invalid("data", $"data: expected a file of 1 to {FilesInParts.MaxPart} bytes in the form.");
        }

        var part = await parts.AddPartAsync(db, parted, sent, cancel);
        return TypedResults.Ok(new FilePartObject(part.Id, "upload.part", part.CreatedAt.ToUnixTimeSeconds(), id));

        async Task TakeAsync(string field, string fileName, Stream body)
        {
            if (field != "data" || sent is not null)
            {
                throw LlmOsException.Invalid("data", "data: expected one file of that name in the form, and no other.");
            }

            sent = await files.StoreAsync(body, cancel);
        }
    }

    private static async Task<Ok<FilePartsObject>> Complete(
        string id, CompletePartsRequest request, HttpResponse response, ClaimsPrincipal user, LlmOsDb db, FilesInParts parts, CancellationToken cancel)
    {
        AnswerHeaders.Warn(response, request.Unknown);
        var (parted, file) = await parts.CompleteAsync(db, FileOwner.Of(user), id, request, cancel);
        return TypedResults.Ok(ToObject(parted, parts) with { File = file.ToObject() });
    }

    private static async Task<Ok<FilePartsObject>> Cancel(string id, ClaimsPrincipal user, LlmOsDb db, FilesInParts parts, CancellationToken cancel) =>
        TypedResults.Ok(ToObject(await parts.CancelAsync(db, FileOwner.Of(user), id, cancel), parts));

    private static FilePartsObject ToObject(PartedFile parted, FilesInParts parts) => new(
        parted.Id,
        "upload",
        parted.Bytes,
        parted.CreatedAt.ToUnixTimeSeconds(),
        parted.FileName,
        parted.Purpose,
        parts.IsExpired(parted) ? "expired" : parted.State.ToString().ToLowerInvariant(),
        parted.ExpiresAt.ToUnixTimeSeconds(),
        File: null);

    /// <summary>The form's field, for the documentation.</summary>
    private sealed record PartForm(IFormFile Data);
}
