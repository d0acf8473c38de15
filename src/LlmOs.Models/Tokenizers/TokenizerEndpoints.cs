using System.ComponentModel.DataAnnotations;
using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Dialects.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tokenizers;

/// <summary>Tokenizers as a service: text to ids and back, with a stored tokenizer or that of a model.</summary>
internal static class TokenizerEndpoints
{
    public static void MapTokenizers(this IEndpointRouteBuilder routes)
    {
        var tokenizers = routes.MapGroup("/api/v1/tokenizers").WithTags("Tokenizers");
        tokenizers.MapGet("/", List).WithName("ListTokenizers").WithSummary("Lists the stored tokenizers by name; those of models are not among them.").ProducesProblem(400);
        tokenizers.MapGet("/{model}", Get).WithName("GetTokenizer").WithSummary("Shows a stored tokenizer.").ProducesProblem(404);
        tokenizers.MapPut("/{model}", Put).WithName("PutTokenizer").WithSummary("Stores a tokenizer under a name, in the place of what had it.")
            .WithDescription("The body is a tokenizer.json, or a form whose parts named `file` are the files of any form that is read. A component that is not supported is named.")
            .WithMetadata(new RequestSizeLimitAttribute(TokenizerUpload.MaxBytes))
            .Accepts<IFormFile>("multipart/form-data", "*/*") // a tokenizer.json as application/json among them
            .Produces<TokenizerView>(201).ProducesProblem(400).ProducesProblem(409);
        tokenizers.MapDelete("/{model}", Delete).WithName("DeleteTokenizer").WithSummary("Forgets a stored tokenizer.").Produces(204).ProducesProblem(404);
        tokenizers.MapPost("/{model}/encode", Encode).RequireScope(Scopes.Inference, Scopes.Read)
            .WithName("EncodeTexts")
            .WithSummary("Turns texts into token ids.")
            .WithDescription("The name is a stored tokenizer's or a model's; the tokenizer goes first. Nothing is padded or cut.")
            .WithRequestExample("""{"texts":["Once upon a time"],"add_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);
        tokenizers.MapPost("/{model}/decode", Decode).RequireScope(Scopes.Inference, Scopes.Read)
            .WithName("DecodeIds")
            .WithSummary("Turns token ids into texts.")
            .WithDescription("The name is a stored tokenizer's or a model's; the tokenizer goes first. Ids outside its vocabulary give no text.")
            .WithRequestExample("""{"ids":[[1,2,3]],"skip_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);

        var whole = tokenizers.MapGroup("/{owner}/{model}").ExcludeFromDescription();
        whole.MapGet("", Get);
        whole.MapPut("", Put).WithMetadata(new RequestSizeLimitAttribute(TokenizerUpload.MaxBytes));
        whole.MapDelete("", Delete);
        whole.MapPost("/encode", Encode).RequireScope(Scopes.Inference, Scopes.Read);
        whole.MapPost("/decode", Decode).RequireScope(Scopes.Inference, Scopes.Read);
    }

    private static async Task<Ok<Page<TokenizerView>>> List(
        [Range(1, 500)] int? limit, [StringLength(256)] string? after, LlmOsDb db, CancellationToken cancel)
    {
        var tokenizers = db.Tokenizers.AsNoTracking();
        if (after is not null)
        {
            tokenizers = tokenizers.Where(t => t.Name.CompareTo(after) > 0);
        }

        var size = limit ?? 50;
        var rows = await tokenizers.Include(t => t.Files).OrderBy(t => t.Name).Take(size + 1).ToListAsync(cancel);
        var page = rows.Take(size).Select(t => t.ToView()).ToList();
        return TypedResults.Ok(new Page<TokenizerView>(page, rows.Count > size ? page[^1].Name : null));
    }

    private static async Task<Ok<TokenizerView>> Get(HttpContext http, LlmOsDb db, CancellationToken cancel)
    {
        var name = ModelRoutes.NameOf(http);
        var stored = await db.Tokenizers.AsNoTracking().Include(t => t.Files).SingleOrDefaultAsync(t => t.Name == name, cancel);
        return TypedResults.Ok(stored?.ToView() ?? throw NotStored(name));
    }

    private static async Task<Created<TokenizerView>> Put(HttpContext http, TokenizerLibrary library, DataFolder data, CancellationToken cancel)
    {
        var name = Registry.ModelName.Check(ModelRoutes.NameOf(http));
        using var upload = await TokenizerUpload.ReadAsync(http.Request, data, cancel);
        return TypedResults.Created($"/api/v1/tokenizers/{Uri.EscapeDataString(name)}", await library.PutAsync(name, upload.Files, cancel));
    }

    private static async Task<NoContent> Delete(HttpContext http, LlmOsDb db, CancellationToken cancel)
    {
        var name = ModelRoutes.NameOf(http);
        return await db.Tokenizers.Where(t => t.Name == name).ExecuteDeleteAsync(cancel) > 0 ? TypedResults.NoContent() : throw NotStored(name);
    }

    private static async Task<Ok<EncodeReply>> Encode(EncodeRequest request, HttpContext http, TokenizerLibrary library, CancellationToken cancel)
    {
        var tokenizer = await library.FindAsync(ModelRoutes.NameOf(http), cancel);
        try
        {
            return TypedResults.Ok(new EncodeReply(tokenizer.EncodeBatch(request.Texts, request.AddSpecialTokens, parseSpecialTokens: true)));
        }
        catch (TokenizerFormatException fault)
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"This tokenizer cannot encode the text: {fault.Message}", fault) { Field = "texts" };
        }
    }

    private static async Task<Ok<DecodeReply>> Decode(DecodeRequest request, HttpContext http, TokenizerLibrary library, CancellationToken cancel)
    {
        var tokenizer = await library.FindAsync(ModelRoutes.NameOf(http), cancel);
        return TypedResults.Ok(new DecodeReply([.. request.Ids.Select(ids => tokenizer.Decode([.. ids], request.SkipSpecialTokens))]));
    }

    private static LlmOsException NotStored(string name) => LlmOsException.NotFound("stored tokenizer", Registry.ModelName.Shorten(name));
}
