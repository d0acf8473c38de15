using System.Net;
using LlmOs.Server.Tests.Http;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Jobs;

public class JobRefusalTests(ServerProcess server)
{
    [Theory]
    [InlineData("""{"kind":"nothing","spec":{}}""", "kind")]
    [InlineData("""{"kind":"import","spec":5}""", "spec")]
    [InlineData("""{"kind":"import","spec":{"name":"x"}}""", "spec.source")]
    [InlineData("""{"kind":"import","spec":{"source":"file:/etc","name":"NO"}}""", "spec.name")]
    [InlineData("""{"kind":"import","spec":{"source":"file:/etc","name":7}}""", "spec.name")]
    [InlineData("""{"kind":"training","spec":{"name":"x","budget":{"steps":0}}}""", "spec.")]
    [InlineData("""{"kind":"import","spec":{"source":"file:WHOLE","name":"x"},"after":["job_none"]}""", "after[0]")]
    [InlineData("""{"kind":"import","spec":{"source":"file:WHOLE","name":"x"},"priority":101}""", "priority")]
    public async Task What_cannot_be_a_job_is_refused_at_once_by_field(string body, string field)
    {
        using var http = server.Client();

        using var answer = await http.PostAsync("/api/v1/jobs", Answers.Json(body.Replace("WHOLE", Path.Combine(server.Data, "import"), StringComparison.Ordinal)));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var errors = (await answer.ReadAsync()).GetProperty("errors").EnumerateObject().Select(e => e.Name);
        Assert.Contains(errors, e => e.StartsWith(field, StringComparison.Ordinal));
    }
}
