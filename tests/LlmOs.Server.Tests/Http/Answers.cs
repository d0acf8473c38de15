using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LlmOs.Server.Tests.Http;

/// <summary>Short words for what HTTP tests say again and again.</summary>
internal static class Answers
{
    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();

    /// <summary>Makes a key over the API and gives it with its id.</summary>
    public static async Task<(string Id, string Key)> MakeKeyAsync(this HttpClient admin, params string[] scopes)
    {
        using var answer = await admin.PostAsJsonAsync("/api/v1/keys", new { name = "made by a test", scopes });
        answer.EnsureSuccessStatusCode();
        var made = await answer.ReadAsync();
        return (made.GetProperty("id").GetString()!, made.GetProperty("key").GetString()!);
    }
}
