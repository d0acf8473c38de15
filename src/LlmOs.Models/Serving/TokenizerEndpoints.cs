using LlmOs.Contracts;
using LlmOs.Engine.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Serving;

/// <summary>Tokenizers as a service: text to ids and back, with the tokenizer of a model.</summary>
internal static class TokenizerEndpoints
{
    public static void MapTokenizers(this IEndpointRouteBuilder routes)
    {
        var tokenizers = routes.MapGroup("/api/v1/tokenizers").WithTags("Tokenizers").RequireScope(Scopes.Inference, Scopes.Read);
        tokenizers.MapPost("/{model}/encode", Encode)
            .WithName("EncodeTexts")
            .WithSummary("Turns texts into token ids.")
            .WithDescription("The name is a model's. Nothing is padded or cut.")
            .WithRequestExample("""{"texts":["Once upon a time"],"add_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);
        tokenizers.MapPost("/{model}/decode", Decode)
            .WithName("DecodeIds")
            .WithSummary("Turns token ids into texts.")
            .WithDescription("The name is a model's. Ids outside its vocabulary give no text.")
            .WithRequestExample("""{"ids":[[1,2,3]],"skip_special_tokens":true}""")
            .ProducesProblem(400).ProducesProblem(404);
        tokenizers.MapPost("/{owner}/{model}/encode", Encode).ExcludeFromDescription();
        tokenizers.MapPost("/{owner}/{model}/decode", Decode).ExcludeFromDescription();
    }

    private static async Task<Ok<EncodeReply>> Encode(EncodeRequest request, HttpContext http, ModelCatalogue catalogue, TokenizerShelf shelf, CancellationToken cancel)
    {
        var tokenizer = await FindAsync(http, catalogue, shelf, cancel);
        return TypedResults.Ok(new EncodeReply([.. request.Texts.Select(text => tokenizer.Encode(text, request.AddSpecialTokens, parseSpecialTokens: true))]));
    }

    private static async Task<Ok<DecodeReply>> Decode(DecodeRequest request, HttpContext http, ModelCatalogue catalogue, TokenizerShelf shelf, CancellationToken cancel)
    {
        var tokenizer = await FindAsync(http, catalogue, shelf, cancel);
        return TypedResults.Ok(new DecodeReply([.. request.Ids.Select(ids => tokenizer.Decode([.. ids], request.SkipSpecialTokens))]));
    }

    private static async Task<ITokenizer> FindAsync(HttpContext http, ModelCatalogue catalogue, TokenizerShelf shelf, CancellationToken cancel)
    {
        var model = await catalogue.FindAsync(ModelRoutes.NameOf(http), cancel);
        return await shelf.OfAsync(model, cancel)
            ?? throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {model.Reference} was imported without a tokenizer.") { Field = "model" };
    }
}
