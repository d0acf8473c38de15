using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LlmOs.Server.Http;

/// <summary>What the fields that take several forms look like: their records are made for reading, not for being shown.</summary>
internal static class UnionSchemas
{
    public static void MapUnions(this SwaggerGenOptions swagger)
    {
        swagger.MapType<PromptInput>(() => AnyOf(
            Text("a text"),
            List(Text(null), "several texts, each answered by itself"),
            List(Id(), "one prompt as token ids, used as they are"),
            List(List(Id(), null), "several prompts as token ids")));
        swagger.MapType<StopInput>(() => AnyOf(Text("one text"), List(Text(null), "up to four texts")));
        swagger.MapType<MessageContent>(() => AnyOf(
            Text("a text"),
            List(
                Record(["type", "text"], ("type", Words("text", "refusal")), ("text", Text("the text")), ("refusal", Text("the text of a part of type refusal"))),
                "parts, whose texts follow each other")));
        swagger.MapType<TokenizerChoice>(() => AnyOf(
            Text("a stored model whose tokenizer is reused"),
            Record(
                ["train"],
                ("train", Words("bpe")),
                ("vocabulary", new OpenApiSchema { Type = JsonSchemaType.Integer | JsonSchemaType.Null, Format = "int32", Description = "tokens of the trained vocabulary, bytes and special tokens included; default 4096" }),
                ("special_tokens", new OpenApiSchema { Type = JsonSchemaType.Array | JsonSchemaType.Null, Items = Text(null), Description = "first the one that ends a document; default <|endoftext|> alone" }))));
    }

    private static OpenApiSchema AnyOf(params IOpenApiSchema[] forms) => new() { OneOf = [.. forms] };

    private static OpenApiSchema Text(string? description) => new() { Type = JsonSchemaType.String, Description = description };

    private static OpenApiSchema Words(params string[] words) =>
        new() { Type = JsonSchemaType.String, Enum = [.. words.Select(word => (System.Text.Json.Nodes.JsonNode)word)] };

    private static OpenApiSchema Id() => new() { Type = JsonSchemaType.Integer, Format = "int32" };

    private static OpenApiSchema List(IOpenApiSchema items, string? description) => new() { Type = JsonSchemaType.Array, Items = items, Description = description };

    private static OpenApiSchema Record(string[] required, params (string Name, IOpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string>(required),
        Properties = properties.ToDictionary(p => p.Name, p => p.Schema),
    };
}
