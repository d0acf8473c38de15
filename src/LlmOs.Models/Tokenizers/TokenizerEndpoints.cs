using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
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

        var one = new ModelPaths(tokenizers, "model");
        one.Map("GET", "", Get, "GetTokenizer", "Shows a stored tokenizer.").ProducesProblem(404);
        one.Map("PUT", "", Put, "PutTokenizer", "Stores a tokenizer under a name, in the place of what had it.")
            .WithDescription("The body is a tokenizer.json, or a form whose parts named `file` are the files of any form that is read. A component that is not supported is named.")
            .WithMetadata(new RequestSizeLimitAttribute(TokenizerUpload.MaxBytes))
            .Accepts<IFormFile>("multipart/form-data", "*/*") // a tokenizer.json as application/json among them
            .Produces<TokenizerView>(201).ProducesProblem(400).ProducesProblem(409);
        one.Map("DELETE", "", Delete, "DeleteTokenizer", "Forgets a stored tokenizer.").Produces(204).ProducesProblem(404);
        one.Map("POST", "/encode", Encode, "EncodeTexts", "Turns texts into token ids.").RequireScope(Scopes.Inference, Scopes.Read)
            .WithDescription("The name is a stored tokenizer's or a model's; the tokenizer goes first. Nothing is padded or cut.")
            .WithRequestExample("""{"texts":["Once upon a time"],"add_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);
        one.Map("POST", "/decode", Decode, "DecodeIds", "Turns token ids into texts.").RequireScope(Scopes.Inference, Scopes.Read)
            .WithDescription("The name is a stored tokenizer's or a model's; the tokenizer goes first. Ids outside its vocabulary give no text.")
            .WithRequestExample("""{"ids":[[1,2,3]],"skip_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);
    }

    private static async Task<Ok<Page<TokenizerView>>> List([AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        var tokenizers = db.Tokenizers.AsNoTracking();
        if (paging.After is { } after)
        {
            tokenizers = tokenizers.Where(t => t.Name.CompareTo(after) > 0);
        }

        return TypedResults.Ok(await tokenizers.Include(t => t.Files).OrderBy(t => t.Name).ToPageAsync(paging.Size, t => t.ToView(), t => t.Name, cancel));
    }

    private static async Task<Ok<TokenizerView>> Get(string model, LlmOsDb db, CancellationToken cancel)
    {
        var stored = await db.Tokenizers.AsNoTracking().Include(t => t.Files).SingleOrDefaultAsync(t => t.Name == model, cancel);
        return TypedResults.Ok(stored?.ToView() ?? throw NotStored(model));
    }

    private static async Task<Created<TokenizerView>> Put(string model, HttpRequest request, TokenizerLibrary library, DataFolder data, CancellationToken cancel)
    {
        var name = ModelName.Check(model);
        using var upload = await TokenizerUpload.ReadAsync(request, data, cancel);
        return TypedResults.Created($"/api/v1/tokenizers/{Uri.EscapeDataString(name)}", await library.PutAsync(name, upload.Files, cancel));
    }

    private static async Task<NoContent> Delete(string model, LlmOsDb db, CancellationToken cancel)
    {
        return await db.Tokenizers.Where(t => t.Name == model).ExecuteDeleteAsync(cancel) > 0 ? TypedResults.NoContent() : throw NotStored(model);
    }

    private static async Task<Ok<EncodeReply>> Encode(EncodeRequest request, string model, TokenizerLibrary library, CancellationToken cancel)
    {
        var tokenizer = await library.FindAsync(model, cancel);
        return TypedResults.Ok(new EncodeReply(Refusing("encode the text", "texts", () => tokenizer.EncodeBatch(request.Texts, request.AddSpecialTokens, parseSpecialTokens: true))));
    }

    private static async Task<Ok<DecodeReply>> Decode(DecodeRequest request, string model, TokenizerLibrary library, CancellationToken cancel)
    {
        var tokenizer = await library.FindAsync(model, cancel);
        return TypedResults.Ok(new DecodeReply(Refusing("decode the ids", "ids", () => request.Ids.Select(ids => tokenizer.Decode([.. ids], request.SkipSpecialTokens)).ToList())));
    }

    /// <summary>What a tokenizer cannot do with this input (it has no unknown token, its expressions take too long) is the input's fault, not the server's.</summary>
    private static T Refusing<T>(string what, string field, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TokenizerFormatException fault)
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"This tokenizer cannot {what}: {fault.Message}", fault) { Field = field };
        }
    }

    private static LlmOsException NotStored(string name) => LlmOsException.NotFound("stored tokenizer", name, "/api/v1/tokenizers");
}
