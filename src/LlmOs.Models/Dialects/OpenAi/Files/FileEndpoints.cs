using System.ComponentModel.DataAnnotations;
using System.Globalization;
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

/// <summary><c>/v1/files</c>: files for batches, tuning and evals.</summary>
internal static class FileEndpoints
{
    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/files", Add)
            .WithName("AddFile")
            .WithSummary("Stores a file for a purpose: batch, fine-tune, evals, assistants, vision or user_data.")
            .WithDescription("A form with `file` and `purpose`, and `expires_after[anchor]` and `expires_after[seconds]` where the file is to be deleted by itself. Files for batches are kept for 30 days, others until they are deleted. A file is seen by the key or user who gave it, and by admins.")
            .WithMetadata(new DisableRequestSizeLimitAttribute())
            .Accepts<FileForm>("multipart/form-data")
            .Answers<FileObject>();
        routes.MapGet("/v1/files", List)
            .WithName("ListFiles")
            .WithSummary("Lists the caller's files, the newest first.")
            .WithDescription("A page has at most 500 files; where `has_more` is true, `last_id` sent as `after` gives those that follow.")
            .Answers<ListObject<FileObject>>();
        routes.MapGet("/v1/files/{id}", Show).WithName("GetFile").WithSummary("Shows a file.").Answers<FileObject>();
        routes.MapGet("/v1/files/{id}/content", Content).WithName("GetFileContent").WithSummary("The content of a file; ranges are honoured.")
            .Produces(200, contentType: "application/octet-stream").Answers<FileObject>();
        routes.MapDelete("/v1/files/{id}", Delete).WithName("DeleteFile").WithSummary("Deletes a file.").Answers<DeletedObject>();
    }

    public static FileObject ToObject(this ClientFile file) => new(
        file.Id, "file", file.Bytes, file.CreatedAt.ToUnixTimeSeconds(), file.FileName, file.Purpose, "processed", file.ExpiresAt?.ToUnixTimeSeconds());

    private static async Task<Ok<FileObject>> Add(HttpRequest request, ClaimsPrincipal user, LlmOsDb db, ClientFiles files, CancellationToken cancel)
    {
        files.RequireRoom(request.ContentLength);
        (string Name, Blob Content)? sent = null;
        var fields = await FormParts.ReadAsync(request, "file", TakeAsync, cancel);
        var purpose = FilePurposes.RequireGiven(fields.GetValueOrDefault("purpose"));
        var life = LifeOf(fields) ?? FilePurposes.DefaultLife(purpose);
        var (name, content) = sent ?? throw LlmOsException.Invalid("file", "file: the form has no part of that name with a file name.");
        return TypedResults.Ok((await files.AddAsync(db, FileOwner.Of(user), name, purpose, content, life, cancel)).ToObject());

        async Task TakeAsync(string field, string fileName, Stream body)
        {
            if (field != "file" || sent is not null)
            {
                throw LlmOsException.Invalid(field == "file" ? field : Shown.Of(field), field == "file" ? "file: the form has two of them; expected one." : $"{Shown.Of(field)}: is a file; expected one file, named 'file'.");
            }

            sent = (ClientFiles.NameOf(fileName, "file"), await files.StoreAsync(body, cancel));
        }
    }

    private static async Task<Ok<ListObject<FileObject>>> List(
        ClaimsPrincipal user,
        LlmOsDb db,
        ClientFiles files,
        [FromQuery(Name = "purpose"), StringLength(40)] string? purpose,
        [AsParameters] ClientPaging paging,
        CancellationToken cancel)
    {
        var found = await files.ListAsync(db, FileOwner.Of(user), purpose, paging.After, paging.IsNewestFirst, paging.Size + 1, cancel);
        List<FileObject> page = [.. found.Take(paging.Size).Select(ToObject)];
        return TypedResults.Ok(new ListObject<FileObject>("list", page)
        {
            HasMore = found.Count > paging.Size,
            FirstId = page.FirstOrDefault()?.Id,
            LastId = page.LastOrDefault()?.Id,
        });
    }

    private static async Task<Ok<FileObject>> Show(string id, ClaimsPrincipal user, LlmOsDb db, ClientFiles files, CancellationToken cancel) =>
        TypedResults.Ok((await files.FindAsync(db, FileOwner.Of(user), id, cancel)).ToObject());

    private static async Task<PhysicalFileHttpResult> Content(string id, ClaimsPrincipal user, HttpResponse response, LlmOsDb db, ClientFiles files, ArtifactStore store, CancellationToken cancel)
    {
        var file = await files.FindAsync(db, FileOwner.Of(user), id, cancel);
        return StoredFile.Answer(store, file.Sha256, file.FileName, response);
    }

    private static async Task<Ok<DeletedObject>> Delete(string id, ClaimsPrincipal user, LlmOsDb db, ClientFiles files, CancellationToken cancel)
    {
        await files.DeleteAsync(db, FileOwner.Of(user), id, cancel);
        return TypedResults.Ok(new DeletedObject(id, "file", true));
    }

    private static TimeSpan? LifeOf(IReadOnlyDictionary<string, string> fields)
    {
        var (anchor, seconds) = (fields.GetValueOrDefault("expires_after[anchor]"), fields.GetValueOrDefault("expires_after[seconds]"));
        if (anchor is null && seconds is null)
        {
            return null;
        }

        return long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? FileLife.Require(anchor, number)
            : throw LlmOsException.Invalid("expires_after[seconds]", "expires_after[seconds]: expected a whole number of seconds.");
    }

    /// <summary>The form's fields, for the documentation.</summary>
    private sealed record FileForm(IFormFile File, string Purpose);
}
