using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Infrastructure.Tests.Http;

public class RefusalsTests
{
    [Fact]
    public void Every_code_has_a_status_and_a_text()
    {
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            var problem = Refusals.ToProblem(new LlmOsException(code, "What was wrong.") { Hint = "What to do." }, "req_1");

            Assert.InRange(problem.Status, 400, 599);
            Assert.Equal("What was wrong. What to do.", problem.Detail);
            Assert.NotEmpty(problem.Title);
        }
    }

    [Theory]
    [InlineData(ErrorCode.ContextLengthExceeded, 400, "context_length_exceeded")]
    [InlineData(ErrorCode.InvalidApiKey, 401, "invalid_api_key")]
    [InlineData(ErrorCode.PermissionDenied, 403, "permission_denied")]
    [InlineData(ErrorCode.ModelNotFound, 404, "model_not_found")]
    [InlineData(ErrorCode.Conflict, 409, "conflict")]
    [InlineData(ErrorCode.Overloaded, 429, "overloaded")]
    [InlineData(ErrorCode.InternalError, 500, "internal_error")]
    public void What_clients_test_for_is_fixed(ErrorCode code, int status, string word)
    {
        var problem = Refusals.ToProblem(new LlmOsException(code, "x"), "r");

        Assert.Equal((status, word), (problem.Status, problem.Code));
    }

    [Fact]
    public void A_field_is_not_named_twice()
    {
        var refusal = LlmOsException.Invalid("messages[0].role", "messages[0].role: must be a word.");

        Assert.Equal(["must be a word."], Refusals.ToProblem(refusal, "r").Errors!["messages[0].role"]);
    }

    [Fact]
    public void A_refusal_without_a_message_says_at_least_what_kind_it_is()
    {
        var refusal = new LlmOsException(ErrorCode.ModelNotFound, "");

        Assert.Equal("Model not found.", Refusals.ToProblem(refusal, "r").Detail);
    }
}
