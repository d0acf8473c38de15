using System.ComponentModel.DataAnnotations;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Infrastructure.Storage;

/// <summary><c>/api/v1/uploads</c> and <c>/api/v1/artifacts</c>.</summary>
internal static class ArtifactEndpoints
{
    public static void MapArtifacts(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("/api/v1/uploads").WithTags("Storage");
        uploads.MapPost("/", Begin).WithName("BeginUpload").WithSummary("Begins the upload of a file; a file that is stored already, by its hash, is whole at once.")
            .ProducesProblem(400).ProducesProblem(507)
            .WithRequestExample("""{"filename":"model.gguf","bytes":1048576,"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}""");
        uploads.MapGet("/{id}", Show).WithName("GetUpload").WithSummary("Shows how many bytes of an upload have arrived.").ProducesProblem(404);
        uploads.MapPut("/{id}", Append).WithName("AppendToUpload")
            .WithSummary("Sends bytes of an upload: from where it stands (Content-Range: bytes 100-199/200), or the whole file.")
            .WithMetadata(new DisableRequestSizeLimitAttribute())
            .WithMetadata(new AnyBody())
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        uploads.MapDelete("/{id}", Delete).WithName("DeleteUpload").WithSummary("Forgets an upload.").ProducesProblem(404);

        var artifacts = routes.MapGroup("/api/v1/artifacts").WithTags("Storage");
        artifacts.MapGet("/{sha256}", Get).WithName("GetArtifact").WithSummary("A stored file by its SHA-256; ranges are honoured.")
            .Produces(200, contentType: "application/octet-stream").ProducesProblem(404);
        artifacts.MapMethods("/{sha256}", [HttpMethods.Head], Get).WithName("CheckArtifact").WithSummary("Whether a file is stored, and its length.")
            .Produces(200, contentType: "application/octet-stream").ProducesProblem(404);
        artifacts.MapPost("/collect", Collect).WithName("CollectArtifacts")
            .WithSummary("Takes stored files that nothing refers to out of use, and deletes those that were taken long ago; with preview it only counts them.")
            .WithDescription("A file that nothing refers to lies in quarantine for `Collector:QuarantineHours` before it is deleted; `purge` deletes what lies there at once. A collection that would take most files stops and says so; `force` goes on.");
    }

    private static async Task<Created<UploadView>> Begin(UploadRequest request, LlmOsDb db, Uploads uploads, CancellationToken cancel)
    {
        var upload = await uploads.BeginAsync(db, request, cancel);
        return TypedResults.Created($"/api/v1/uploads/{upload.Id}", upload);
    }

    private static async Task<Ok<UploadView>> Show(string id, LlmOsDb db, Uploads uploads, CancellationToken cancel) =>
        TypedResults.Ok(await uploads.GetAsync(db, id, cancel));

    private static async Task<Ok<UploadView>> Append(
        string id,
        [FromHeader(Name = "Content-Range"), StringLength(100)] string? range,
        HttpRequest request,
        LlmOsDb db,
        Uploads uploads,
        CancellationToken cancel)
    {
        var piece = UploadPiece.Parse(range);
        piece?.RequireLength(request.ContentLength);
        return TypedResults.Ok(await uploads.AppendAsync(db, id, piece, request.Body, cancel));
    }

    private static async Task<NoContent> Delete(string id, LlmOsDb db, Uploads uploads, CancellationToken cancel)
    {
        await uploads.DeleteAsync(db, id, cancel);
        return TypedResults.NoContent();
    }

    private static PhysicalFileHttpResult Get(string sha256, HttpResponse response, ArtifactStore store) =>
        ArtifactStore.IsHash(sha256) && store.Contains(sha256)
            ? StoredFile.Answer(store, sha256, fileName: sha256, response)
            : throw LlmOsException.NotFound("artifact", sha256);

    private static async Task<Ok<CollectReport>> Collect(bool? preview, bool? force, bool? purge, Collector collector, CancellationToken cancel) =>
        TypedResults.Ok(await collector.CollectAsync(preview ?? false, cancel, force ?? false, purge ?? false));

    /// <summary>Documents a body of raw bytes, and takes any content type.</summary>
    private sealed class AnyBody : Microsoft.AspNetCore.Http.Metadata.IAcceptsMetadata
    {
        public IReadOnlyList<string> ContentTypes { get; } = ["application/octet-stream", "*/*"];

        public Type? RequestType => typeof(IFormFile); // shown as bytes

        public bool IsOptional => true;
    }
}

/// <summary>A blob as an answer that browsers save and never run.</summary>
public static class StoredFile
{
    public static PhysicalFileHttpResult Answer(ArtifactStore store, string sha256, string fileName, HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return TypedResults.PhysicalFile(
            store.PathOf(sha256), "application/octet-stream", fileName, entityTag: new EntityTagHeaderValue($"\"{sha256}\""), enableRangeProcessing: true);
    }
}
