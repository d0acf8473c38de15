using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Generation;
using LlmOs.Models.Prompts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Tokens and templates as clients of vLLM and of llama.cpp ask for them; no model is loaded for it.</summary>
internal static class TokenizeEndpoints
{
    public static void MapTokenize(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", Tokenize)
            .WithName("Tokenize")
            .WithSummary("Turns a text or a conversation into token ids.")
            .WithDescription("`prompt` or `messages` are answered as vLLM answers them, `content` as llama.cpp does. A text's special tokens are read as such; a message's are text.")
            .WithRequestExample("""{"model":"starter","prompt":"Once upon a time","add_special_tokens":true}""")
            .Answers<TokenizeReply>();
        routes.MapPost("/detokenize", Detokenize)
            .WithName("Detokenize")
            .WithSummary("Turns token ids into text.")
            .WithDescription("The text stands in `prompt` and in `content`, for clients of vLLM and of llama.cpp.")
            .WithRequestExample("""{"model":"starter","tokens":[10,20,30]}""")
            .Answers<DetokenizeReply>();
        routes.MapPost("/apply-template", ApplyTemplate)
            .WithName("ApplyTemplate")
            .WithSummary("Writes a conversation as the model's chat template writes it.")
            .WithDescription("The text of the prompt that `/v1/chat/completions` makes of the same messages.")
            .WithRequestExample("""{"model":"starter","messages":[{"role":"user","content":"Once upon a time"}]}""")
            .Answers<ApplyTemplateReply>();
    }

    private static async Task<IResult> Tokenize(TokenizeRequest request, HttpContext http, IGenerationService generation, ModelPrompts prompts, CancellationToken cancel)
    {
        var conversation = request.Messages is null ? null : ConversationRules.ToConversation(request);
        CheckOneIsGiven(request);
        var model = await generation.FindOnlyAsync(request.Model, cancel);
        AnswerHeaders.Version(http.Response, model);
        AnswerHeaders.Warn(http.Response, request.Unknown);
        var tokenizer = await prompts.TokenizerOfAsync(model, request.Messages is null ? "prompt" : "messages", cancel);
        if (request.Content is { } content)
        {
            var ids = tokenizer.Encode(content, request.AddSpecial ?? false, request.ParseSpecial ?? true);
            return TypedResults.Ok(new TokenizeContentReply(request.WithPieces == true ? Pieces(tokenizer, ids) : JsonSerializer.SerializeToElement(ids)));
        }

        var tokens = conversation is not null
            ? (await prompts.ChatOfAsync(model, tokenizer, cancel)).Encode(conversation, cancel, request.AddSpecialTokens ?? false)
            : tokenizer.Encode(request.Prompt!, request.AddSpecialTokens ?? true, parseSpecialTokens: true);
        var spellings = request.ReturnTokenStrs == true ? tokens.Select(id => tokenizer.TokenOf(id) ?? "").ToList() : null;
        return TypedResults.Ok(new TokenizeReply(tokens.Length, model.ContextLength, tokens, spellings));
    }

    private static void CheckOneIsGiven(TokenizeRequest request)
    {
        var given = new[] { request.Prompt is not null, request.Content is not null, request.Messages is not null }.Count(g => g);
        if (given == 0)
        {
            throw LlmOsException.Invalid("prompt", "'prompt' is missing. Send a 'prompt' or 'messages' as vLLM takes them, or a 'content' as llama.cpp does.");
        }

        if (given > 1)
        {
            throw LlmOsException.Invalid(request.Messages is not null ? "messages" : "content", "'prompt', 'messages' and 'content' mean three things. Send one of them.");
        }
    }

    private static async Task<Ok<DetokenizeReply>> Detokenize(DetokenizeRequest request, HttpContext http, IGenerationService generation, ModelPrompts prompts, CancellationToken cancel)
    {
        var ids = request.Tokens ?? throw LlmOsException.Invalid("tokens", "'tokens' is missing. Send a list of token ids.");
        var model = await generation.FindOnlyAsync(request.Model, cancel);
        AnswerHeaders.Version(http.Response, model);
        AnswerHeaders.Warn(http.Response, request.Unknown);
        GenerationRules.CheckIds("tokens", ids, model.Vocabulary);
        var text = (await prompts.TokenizerOfAsync(model, "tokens", cancel)).Decode([.. ids], skipSpecialTokens: false);
        return TypedResults.Ok(new DetokenizeReply(text, text));
    }

    private static async Task<Ok<ApplyTemplateReply>> ApplyTemplate(ApplyTemplateRequest request, HttpContext http, IGenerationService generation, ModelPrompts prompts, CancellationToken cancel)
    {
        var conversation = ConversationRules.ToConversation(request);
        var model = await generation.FindOnlyAsync(request.Model, cancel);
        AnswerHeaders.Version(http.Response, model);
        AnswerHeaders.Warn(http.Response, request.Unknown);
        var chat = await prompts.ChatOfAsync(model, await prompts.TokenizerOfAsync(model, "messages", cancel), cancel);
        return TypedResults.Ok(new ApplyTemplateReply(chat.Render(conversation, cancel)));
    }

    /// <summary>Tokens with their texts; those that are a part of a character with their bytes.</summary>
    private static JsonElement Pieces(ITokenizer tokenizer, int[] ids)
    {
        var texts = new TokenTexts(tokenizer);
        return JsonSerializer.SerializeToElement(
            ids.Select(id => new TokenPiece(id, texts.Text(id) is var text && text.StartsWith("bytes:", StringComparison.Ordinal) && texts.Bytes(id) is { } bytes
                ? JsonSerializer.SerializeToElement(bytes.Select(b => (int)b))
                : JsonSerializer.SerializeToElement(text))).ToList(),
            LlmOsJson.Options);
    }
}
