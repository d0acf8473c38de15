using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

/// <summary>
/// Goes over every operation of the OpenAPI document, so also over those that come later, and sends what clients send by
/// mistake or on purpose. Whatever it is: never a 5xx, and a refusal names the field.
/// </summary>
/// <remarks>The server has no training role, so that a body which happens to be good starts nothing long.</remarks>
public partial class ApiWalkTests(ApiWalkTests.Server server) : IClassFixture<ApiWalkTests.Server>
{
    public sealed class Server : ServerProcess
    {
        protected override ServerStart Start { get; } = new() { Environment = new Dictionary<string, string?> { ["LLMOS_ROLES"] = "api,inference" } };
    }

    /// <summary>What may stand in a path; parameters that are not here get a name that does not exist.</summary>
    private static readonly Dictionary<string, string> PathValues = new()
    {
        ["model"] = "starter",
        ["name"] = "starter",
        ["version"] = "1",
        ["n"] = "1",
        ["task"] = "text-generation",
        ["metric"] = "exact_match",
        ["slug"] = "walked",
        ["alias"] = "walked",
    };

    /// <summary>What is sent in the place of each field; <c>Kind</c> is what a schema would call it.</summary>
    private static readonly (string What, string Kind, string Json)[] Values =
    [
        (Nul, "string", """ "a\u0000b" """),
        (LoneSurrogate, "string", """ "\ud800" """),
        (Deep, Never, new string('[', 65) + new string(']', 65)),
        ("null", "null", "null"),
        ("a number", "integer", "5"),
        ("a fraction", "number", "0.5"),
        ("-1", "integer", "-1"),
        ("1e308", "number", "1e308"),
        ("a text", "string", "\"text\""),
        ("a boolean", "boolean", "true"),
        ("a list", "array", "[]"),
        ("an object", "object", "{}"),
        (Megabyte, "string", $"\"{new string('x', 1 << 20)}\""),
    ];

    private const string Nul = "U+0000";
    private const string LoneSurrogate = "half a surrogate pair";
    private const string Megabyte = "1 MB of text";
    private const string Deep = "65 levels";
    private const string Never = "never";

    /// <summary>Text that goes to a model as it is; a tokenizer takes U+0000 like any other character (docs/api.md).</summary>
    private static readonly string[] ModelTexts =
    [
        "/v1/completions prompt", "/v1/completions stop", "/v1/chat/completions messages[0].content", "/v1/chat/completions stop",
        "/tokenize prompt", "/tokenize content", "/tokenize messages[0].content", "/apply-template messages[0].content",
        "/api/v1/tokenizers/{model}/encode texts",
        "/pipeline/{task} inputs", "/pipeline/{task} parameters.stop", "/models/{model} inputs", "/models/{model} parameters.stop",
        "/v1/embeddings input",
        "/generate inputs", "/generate parameters.stop", "/generate_stream inputs", "/generate_stream parameters.stop",
    ];

    /// <summary>Texts that may be long: the tokenizer alone sees them.</summary>
    private static readonly string[] LongTexts = ["/api/v1/tokenizers/{model}/encode texts"];

    private static readonly string[] QueryValues = ["%00", "", "abc", "-1", "1e308", "99999999999999999999", new string('x', 3000)];

    [Fact]
    public async Task Without_a_key_only_the_open_list_answers()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client(key: null);

        var open = new List<string>();
        foreach (var operation in document.Operations)
        {
            using var answer = await SendAsync(client, operation, Url(operation), operation.BodyExample?.ToJsonString());
            if (answer.StatusCode != HttpStatusCode.Unauthorized)
            {
                open.Add(operation.ToString());
            }
        }

        Assert.Equal(["GET /healthz", "GET /readyz"], open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_body_breaks_the_server_and_a_refusal_names_the_field()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client();
        await MakeAppAsync(document, client);

        var attempts = document.Operations.Where(o => o.TakesJson).SelectMany(Attempts).ToList();
        Assert.True(attempts.Count > 1000, $"only {attempts.Count} attempts");

        var faults = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(attempts, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (attempt, cancel) =>
        {
            using var answer = await SendAsync(client, attempt.Operation, Url(attempt.Operation), attempt.Body());
            if (await FaultAsync(answer, attempt.Field.Path, attempt.Field.Name, attempt.MustBeRefused, mayNameParent: attempt.What == Deep || !attempt.MustBeRefused) is { } fault)
            {
                faults.Add($"{attempt.Operation} {attempt.Field.Path} = {attempt.What}: {fault}");
            }
        });

        Assert.True(faults.IsEmpty, $"{faults.Count} of {attempts.Count}:\n{string.Join('\n', faults.Order())}");
    }

    [Fact]
    public async Task No_query_breaks_the_server_and_a_refusal_names_the_parameter()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client();

        var faults = new List<string>();
        foreach (var operation in document.Operations)
        {
            foreach (var name in operation.QueryParameters)
            {
                foreach (var value in QueryValues)
                {
                    using var answer = await SendAsync(client, operation, $"{Url(operation)}?{name}={value}", operation.BodyExample?.ToJsonString());
                    if (await FaultAsync(answer, name, name, mustBeRefused: value == "%00", mayNameParent: false) is { } fault)
                    {
                        faults.Add($"{operation} ?{name}={value[..Math.Min(20, value.Length)]}: {fault}");
                    }
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task Every_word_that_the_document_states_for_a_query_is_taken()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client();
        using var rows = new MultipartFormDataContent { { new ByteArrayContent("one\n"u8.ToArray()), "file", "rows.txt" } };
        using var imported = await client.PostAsync($"/api/v1/datasets/{PathValues["name"]}/versions", rows);
        await client.WaitForJobAsync($"{imported.Headers.Location}");

        var faults = new List<string>();
        var words = document.Operations.SelectMany(operation => operation.QueryWords.Select(word => (Operation: operation, word.Name, word.Word))).ToList();
        foreach (var (operation, name, word) in words)
        {
            using var answer = await SendAsync(client, operation, $"{Url(operation)}?{name}={word}", operation.BodyExample?.ToJsonString());
            if (!answer.IsSuccessStatusCode)
            {
                faults.Add($"{operation} ?{name}={word}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
        }

        Assert.True(words.Count >= 7, $"only {words.Count} words; a job has seven states");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("Running")]
    [InlineData("1")]
    [InlineData("")]
    public async Task Another_word_is_refused_with_those_that_there_are(string word)
    {
        using var client = server.Client();

        using var answer = await client.GetAsync($"/api/v1/jobs?state={word}");
        var problem = await answer.ReadAsync();

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("queued, running, pausing, paused, succeeded, failed, cancelled", problem.GetProperty("errors").GetProperty("state")[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("..%2F..%2Fetc")]
    [InlineData("a%2Fb")]
    [InlineData("%F0%9F%92%A9")]
    [InlineData("'%20or%201=1")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    public async Task No_path_breaks_the_server(string value)
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client();

        var faults = new List<string>();
        foreach (var operation in document.Operations.Where(o => o.Path.Contains('{', StringComparison.Ordinal)))
        {
            using var answer = await SendAsync(client, operation, PathParameter().Replace(operation.Path, value), operation.BodyExample?.ToJsonString());
            if ((int)answer.StatusCode >= 500)
            {
                faults.Add($"{operation}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task A_body_of_20_MB_is_refused_with_413()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var client = server.Client();
        var body = $$"""{"x":"{{new string('x', 20_000_000)}}"}""";

        var faults = new List<string>();
        foreach (var operation in document.Operations.Where(o => o.TakesJson))
        {
            using var answer = await SendAsync(client, operation, Url(operation), body);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode != HttpStatusCode.RequestEntityTooLarge || !text.Contains("request_too_large", StringComparison.Ordinal))
            {
                faults.Add($"{operation}: {(int)answer.StatusCode} {text}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("/v1/completions", """{"model":"starter","prompt":TEXT}""")]
    [InlineData("/v1/chat/completions", """{"model":"starter","messages":[{"role":"user","content":TEXT}]}""")]
    [InlineData("/pipeline/text-generation", """{"inputs":TEXT}""")]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_numbers(string path, string body)
    {
        using var client = server.Client();
        var text = JsonSerializer.Serialize(string.Concat(Enumerable.Repeat(" king", 600))); // a token each

        using var answer = await client.PostAsync(path, Answers.Json(body.Replace("TEXT", text, StringComparison.Ordinal)));
        var error = (await answer.ReadAsync()).GetProperty("error");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Matches(@"\b512\b.*\b600\b", error.GetProperty("message").GetString());
    }

    /// <summary>An app to walk over, where there are apps.</summary>
    private static async Task MakeAppAsync(OpenApiDocument document, HttpClient client)
    {
        if (document.Operations.SingleOrDefault(o => o.ToString() == "POST /api/v1/apps")?.BodyExample is not { } example)
        {
            return;
        }

        var body = example.DeepClone().AsObject();
        body["slug"] = PathValues["slug"];
        body["model"] = "starter";
        using var answer = await client.PostAsync("/api/v1/apps", Answers.Json(body.ToJsonString()));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static IEnumerable<Attempt> Attempts(Operation operation)
    {
        foreach (var field in BodyFields.Of(operation))
        {
            foreach (var (what, kind, json) in Values)
            {
                yield return new Attempt(operation, field, what, () => BodyFields.Replace(operation, field, json), MustBeRefused(operation, field, what, kind));
            }

            if (!field.IsElement)
            {
                yield return new Attempt(operation, field, "twice the same key", () => BodyFields.Repeat(operation, field), MustBeRefused: true);
            }
        }
    }

    private static bool MustBeRefused(Operation operation, BodyField field, string what, string kind)
    {
        var allowed = field.Schemas.SelectMany(KindsOf).ToHashSet(StringComparer.Ordinal);
        return what switch
        {
            LoneSurrogate => true,
            Nul => !IsAmong(ModelTexts),
            Megabyte when allowed.Contains("string") => !IsAmong(LongTexts) && !IsAmong(ModelTexts),
            _ when kind == Never => true,

            // Where the document says nothing of a field's form, whoever reads it decides.
            _ when field.Schemas.Count == 0 || field.Schemas.Any(schema => KindsOf(schema).Count == 0) => false,
            _ when kind == "null" => field.IsRequired && !allowed.Contains("null") && !field.IsElement,
            _ => !allowed.Contains(kind) && !(kind == "integer" && allowed.Contains("number")),
        };

        bool IsAmong(string[] places) => Array.Exists(places, place => $"{operation.Path} {field.Path}".StartsWith(place, StringComparison.Ordinal));
    }

    private static IReadOnlyList<string> KindsOf(System.Text.Json.Nodes.JsonObject schema) =>
        (string?)schema["type"] is not { } type ? [] : (bool?)schema["nullable"] == true ? [type, "null"] : [type];

    /// <param name="path">The field as a refusal would name it.</param>
    /// <param name="name">The last name in it; where two fields do not go together, a refusal may name the other and mention this one.</param>
    /// <param name="mayNameParent">
    /// What is too deep is seen before the field is, within the value that holds it; and a field that is right by itself may stand in one
    /// that is not, as all of a prompt does that is too long together.
    /// </param>
    private static async Task<string?> FaultAsync(HttpResponseMessage answer, string path, string name, bool mustBeRefused, bool mayNameParent)
    {
        var status = (int)answer.StatusCode;
        if (status < 400)
        {
            return mustBeRefused ? $"was accepted with {status}" : null;
        }

        var text = await answer.Content.ReadAsStringAsync();
        var shown = text.Length > 300 ? text[..300] : text;
        if (status == (int)HttpStatusCode.GatewayTimeout && path == "timeout")
        {
            return null; // less time was asked for than a busy machine needs
        }

        if (status >= 500)
        {
            return $"{status} {shown}";
        }

        // What is not there, not in a state for it, or not among the allowed folders, is no fault of the field.
        var isAboutSomethingElse = !mustBeRefused && status is 403 or 404 or 409;
        return isAboutSomethingElse || RefusedFields.Names(text, path, name, mayNameParent) ? null : $"{status} does not name the field: {shown}";
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, Operation operation, string url, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), url) { Content = body is null ? null : Answers.Json(body) };
        return await client.SendAsync(request);
    }

    private static string Url(Operation operation) =>
        PathParameter().Replace(operation.Path, match => PathValues.GetValueOrDefault(match.Groups[1].Value, "nothing"));

    /// <param name="Body">Made when it is sent: some are large.</param>
    private sealed record Attempt(Operation Operation, BodyField Field, string What, Func<string> Body, bool MustBeRefused);

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex PathParameter();
}
