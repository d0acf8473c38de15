using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Prompts;

/// <summary>Chat templates as a service: what a template makes of a conversation, byte for byte.</summary>
internal static class ChatTemplateEndpoints
{
    public static void MapChatTemplates(this IEndpointRouteBuilder routes) => routes.MapGroup("/api/v1/chat-templates").WithTags("Chat templates")
        .RequireScope(Scopes.Inference, Scopes.Read)
        .MapPost("/render", Render)
        .WithName("RenderChatTemplate")
        .WithSummary("Renders a chat template.")
        .WithDescription(
            "The text that Jinja, set up as transformers sets it up, makes of it. Messages are given to the template as they are: unlike on `/v1/chat/completions`, "
            + "nothing is fitted to what the template takes. Where the template raises, the answer is 400 `template_error` with its own message.")
        .WithRequestExample("""{"template":"{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}","messages":[{"role":"user","content":"Hello"}],"add_generation_prompt":true}""")
        .ProducesProblem(400).ProducesProblem(404);

    private static async Task<Ok<RenderTemplateReply>> Render(
        RenderTemplateRequest request, ModelCatalogue catalogue, ModelTexts texts, TimeProvider clock, CancellationToken cancel)
    {
        if (request.Template is null == request.Model is null)
        {
            throw LlmOsException.Invalid("template", "Send either 'template' or 'model'.");
        }

        for (var at = 0; at < request.Messages.Count; at++)
        {
            if (request.Messages[at] is null)
            {
                throw LlmOsException.Invalid($"messages[{at}]", $"'messages[{at}]' must be an object such as {{\"role\":\"user\",\"content\":\"Hello\"}}.");
            }
        }

        var sources = request.Model is null
            ? ChatSources.None with { Templates = new Dictionary<string, string> { ["default"] = request.Template! } }
            : await SourcesOfAsync(request.Model, catalogue, texts, cancel);
        var template = new ChatTemplates(sources.Templates).Choose(asked: null, request.Tools is not null).Template;
        var now = request.Now is { } stated ? new DateTimeOffset(DateTime.SpecifyKind(stated, DateTimeKind.Unspecified), TimeSpan.Zero) : clock.GetLocalNow();
        try
        {
            return TypedResults.Ok(new RenderTemplateReply(template.Render(Variables(request, sources), TemplateLimits.Default, now, clock, cancel).Text));
        }
        catch (TemplateException fault)
        {
            throw TemplateRefusal.Of(fault, request.Template is null ? "model" : "template");
        }
    }

    private static async Task<ChatSources> SourcesOfAsync(string name, ModelCatalogue catalogue, ModelTexts texts, CancellationToken cancel)
    {
        var model = await catalogue.FindAsync(name, cancel);
        var sources = await texts.ReadChatAsync(model, cancel);
        return sources.Templates.Count > 0
            ? sources
            : throw new LlmOsException(ErrorCode.TemplateError, $"The model {model.Reference} has no chat template.") { Field = "model", Hint = "Send a 'template' instead." };
    }

    private static Dictionary<string, TemplateValue> Variables(RenderTemplateRequest request, ChatSources sources)
    {
        var variables = new Dictionary<string, TemplateValue>(sources.Words, StringComparer.Ordinal)
        {
            ["messages"] = TemplateValue.ListOf(request.Messages.Select(m => TemplateValue.MapOf(m.Select(f => KeyValuePair.Create(f.Key, TemplateValue.FromJson(f.Value, fromUser: true)))))),
            ["tools"] = List(request.Tools),
            ["documents"] = List(request.Documents),
            ["add_generation_prompt"] = TemplateValue.Of(request.AddGenerationPrompt),
        };
        Word("bos_token", request.BosToken);
        Word("eos_token", request.EosToken);
        foreach (var (name, value) in request.Variables ?? new Dictionary<string, JsonElement>())
        {
            variables[name] = TemplateValue.FromJson(value, fromUser: true);
        }

        return variables;

        void Word(string name, string? word)
        {
            if (word is not null)
            {
                variables[name] = TemplateValue.Of(word, fromUser: false);
            }
            else if (request.Template is not null)
            {
                variables.TryAdd(name, TemplateValue.Of("", fromUser: false));
            }
        }
    }

    private static TemplateValue List(IReadOnlyList<JsonElement>? items) =>
        items is null ? TemplateValue.NotGiven : TemplateValue.ListOf(items.Select(item => TemplateValue.FromJson(item, fromUser: true)));
}
