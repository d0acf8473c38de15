using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Contracts;

namespace LlmOs.Web.Pages.Models;

/// <summary>Languages in which a request can be shown.</summary>
internal enum CodeLanguage
{
    Curl,
    CSharp,
    Python,
    JavaScript,
}

/// <summary>Writes the playground's request as a program that sends the same, over the official client of each language.</summary>
internal static class RequestCode
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Plain) { WriteIndented = true };

    public static string NameOf(CodeLanguage language) => language switch
    {
        CodeLanguage.Curl => "curl",
        CodeLanguage.CSharp => "C#",
        CodeLanguage.Python => "Python",
        CodeLanguage.JavaScript => "JavaScript",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <param name="address">The server's root, without a slash at its end.</param>
    /// <param name="messages">Null: a completion of <paramref name="prompt"/>.</param>
    public static string Write(
        CodeLanguage language, string address, string model, IReadOnlyList<ChatTurn>? messages, string prompt, GenerationSettings settings)
    {
        var body = Body(model, messages, prompt, settings);
        var isChat = messages is not null;
        return language switch
        {
            CodeLanguage.Curl => Curl(address, isChat, body),
            CodeLanguage.CSharp => CSharp(address, isChat, body),
            CodeLanguage.Python => Python(address, isChat, body),
            CodeLanguage.JavaScript => JavaScript(address, isChat, body),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static JsonObject Body(string model, IReadOnlyList<ChatTurn>? messages, string prompt, GenerationSettings settings)
    {
        var body = new JsonObject { ["model"] = model };
        if (messages is not null)
        {
            body["messages"] = new JsonArray([.. messages.Select(m => new JsonObject { ["role"] = m.Role, ["content"] = m.Content })]);
        }
        else
        {
            body["prompt"] = prompt;
        }

        Add("max_tokens", settings.MaxTokens);
        Add("temperature", settings.Temperature);
        Add("top_p", settings.TopP);
        Add("seed", settings.Seed);
        return body;

        void Add<T>(string name, T? value)
            where T : struct
        {
            if (value is { } stated)
            {
                body[name] = JsonValue.Create(stated);
            }
        }
    }

    private static string Path(bool isChat) => isChat ? "/v1/chat/completions" : "/v1/completions";

    /// <remarks>Within single quotes a shell changes nothing; the quote itself is put between two of them.</remarks>
    private static string Curl(string address, bool isChat, JsonObject body) => $"""
        curl {address}{Path(isChat)} \
          -H "Authorization: Bearer $LLMOS_KEY" \
          -H "Content-Type: application/json" \
          -d '{body.ToJsonString(Indented).Replace("'", "'\\''", StringComparison.Ordinal)}'
        """;

    private static string CSharp(string address, bool isChat, JsonObject body)
    {
        // As many quotes around the literal as the text needs.
        var json = body.ToJsonString(Indented);
        var quotes = "\"\"\"";
        while (json.Contains(quotes, StringComparison.Ordinal))
        {
            quotes += "\"";
        }

        return $$"""
            using System.Net.Http.Headers;
            using System.Text;

            using var http = new HttpClient { BaseAddress = new Uri({{Text(address)}}) };
            http.DefaultRequestHeaders.Authorization =
                new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("LLMOS_KEY"));
            using var body = new StringContent({{quotes}}
            {{json}}
            {{quotes}}, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync({{Text(Path(isChat))}}, body);
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            """;
    }

    private static string Python(string address, bool isChat, JsonObject body)
    {
        var (call, reply) = isChat ? ("client.chat.completions.create", "choices[0].message.content") : ("client.completions.create", "choices[0].text");
        var arguments = string.Join("\n", body.Select(field => $"    {field.Key}={PythonValue(field.Value!)},"));
        return $"""
            import os
            from openai import OpenAI

            client = OpenAI(base_url={Text(address + "/v1")}, api_key=os.environ["LLMOS_KEY"])
            answer = {call}(
            {arguments}
            )
            print(answer.{reply})
            """;
    }

    /// <summary>JSON's texts, numbers, lists and objects are Python's too.</summary>
    private static string PythonValue(JsonNode value) => value.ToJsonString(Plain);

    private static string JavaScript(string address, bool isChat, JsonObject body)
    {
        var (call, reply) = isChat ? ("client.chat.completions.create", "choices[0].message.content") : ("client.completions.create", "choices[0].text");
        return $$"""
            import OpenAI from "openai";

            const client = new OpenAI({ baseURL: {{Text(address + "/v1")}}, apiKey: process.env.LLMOS_KEY });
            const answer = await {{call}}({{body.ToJsonString(Indented)}});
            console.log(answer.{{reply}});
            """;
    }

    private static string Text(string value) => JsonSerializer.Serialize(value, Plain);
}
