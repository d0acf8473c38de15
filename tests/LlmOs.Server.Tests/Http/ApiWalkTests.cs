using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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
        ["slug"] = "walked",
        ["alias"] = "walked",
    };

    /// <summary>Values by what is wrong with them; those that can never be right come first.</summary>
    private static readonly (string What, string Json, bool MustBeRefused)[] Values =
    [
        ("U+0000", """ "a\u0000b" """, true),
        ("half a surrogate pair", """ "\ud800" """, true),
        ("65 levels", new string('[', 65) + new string(']', 65), true),
        ("null", "null", false),
        ("a number", "5", false),
        ("a text", "\"text\"", false),
        ("a boolean", "true", false),
        ("a list", "[]", false),
        ("an object", "{}", false),
        ("-1", "-1", false),
        ("1e308", "1e308", false),
        ("1 MB of text", $"\"{new string('x', 1 << 20)}\"", false),
    ];

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

        var attempts = document.Operations.Where(o => o.TakesJson)
            .SelectMany(operation => Fields(operation).SelectMany(field => Values
                .Select(value => new Attempt(operation, field, value.What, Body(operation, field, value.Json, twice: false), value.MustBeRefused))
                .Append(new Attempt(operation, field, "twice the same key", Body(operation, field, "1", twice: true), MustBeRefused: true))))
            .ToList();
        Assert.NotEmpty(attempts);

        var faults = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(attempts, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (attempt, cancel) =>
        {
            using var answer = await SendAsync(client, attempt.Operation, Url(attempt.Operation), attempt.Body);
            if (await FaultAsync(answer, attempt.Field.Split('.')[^1], attempt.MustBeRefused) is { } fault)
            {
                faults.Add($"{attempt.Operation} {attempt.Field} = {attempt.What}: {fault}");
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
                    if (await FaultAsync(answer, name, mustBeRefused: value == "%00") is { } fault)
                    {
                        faults.Add($"{operation} ?{name}={value[..Math.Min(20, value.Length)]}: {fault}");
                    }
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
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

    /// <summary>The fields of the schema and, below them, those of the example: <c>a</c>, <c>a.b</c>, <c>a[0].b</c>.</summary>
    private static HashSet<string> Fields(Operation operation)
    {
        var names = new HashSet<string>(operation.BodyFields, StringComparer.Ordinal);
        Collect(operation.BodyExample, "", names);
        return names;

        static void Collect(JsonNode? node, string path, HashSet<string> names)
        {
            if (node is JsonObject map)
            {
                foreach (var (name, value) in map)
                {
                    var at = path.Length == 0 ? name : $"{path}.{name}";
                    names.Add(at);
                    Collect(value, at, names);
                }
            }
            else if (node is JsonArray { Count: > 0 } list && list[0] is JsonObject)
            {
                Collect(list[0], $"{path}[0]", names);
            }
        }
    }

    /// <summary>The example with one field replaced, or standing there twice.</summary>
    private static string Body(Operation operation, string field, string json, bool twice)
    {
        const string Marker = "\u2063marker\u2063";
        var body = operation.BodyExample?.DeepClone() as JsonObject ?? [];
        var steps = PathStep().Matches(field).Select(match => match.Value.Trim('[', ']')).ToList();
        JsonNode at = body;
        foreach (var step in steps[..^1])
        {
            at = at is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)]! : at[step]!;
        }

        var before = at[steps[^1]]?.ToJsonString() ?? json;
        at[steps[^1]] = Marker;
        var text = body.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var quoted = JsonSerializer.Serialize(Marker);
        quoted = text.Contains(quoted, StringComparison.Ordinal) ? quoted : $"\"{Marker}\"";
        return text.Replace(quoted, twice ? $"{before},{JsonSerializer.Serialize(steps[^1])}:{before}" : json, StringComparison.Ordinal);
    }

    private static async Task<string?> FaultAsync(HttpResponseMessage answer, string field, bool mustBeRefused)
    {
        var status = (int)answer.StatusCode;

        // A union is read as a whole, by its own converter, which does not always know the name it goes by; prompts may hold any character.
        if (status < 500 && (field.StartsWith("tokenizer", StringComparison.Ordinal) || field is "train" or "vocabulary" or "prompt" || field.EndsWith("content", StringComparison.Ordinal)))
        {
            return null;
        }

        if (status < 400)
        {
            return mustBeRefused ? $"was accepted with {status}" : null;
        }

        var text = await answer.Content.ReadAsStringAsync();
        var shown = text.Length > 300 ? text[..300] : text;
        if (status >= 500)
        {
            return $"{status} {shown}";
        }

        // What is not there, not in a state for it, or not among the allowed folders, is no fault of the field.
        var isAboutSomethingElse = !mustBeRefused && status is 403 or 404 or 409;
        return isAboutSomethingElse || text.Contains(field, StringComparison.Ordinal) ? null : $"{status} does not name the field: {shown}";
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, Operation operation, string url, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), url) { Content = body is null ? null : Answers.Json(body) };
        return await client.SendAsync(request);
    }

    private static string Url(Operation operation) =>
        PathParameter().Replace(operation.Path, match => PathValues.GetValueOrDefault(match.Groups[1].Value, "nothing"));

    private sealed record Attempt(Operation Operation, string Field, string What, string Body, bool MustBeRefused);

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex PathParameter();

    [GeneratedRegex(@"[^.\[\]]+|\[\d+\]")]
    private static partial Regex PathStep();
}
