using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Infrastructure.Tests.Http;

public class RefusalsTests
{
    [Fact]
    public void Every_code_has_a_status_and_both_shapes()
    {
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            var refusal = new LlmOsException(code, "What was wrong.") { Hint = "What to do." };

            var problem = Refusals.ToProblem(refusal, "req_1");
            var openAi = Refusals.ToOpenAi(refusal).Error;

            Assert.InRange(problem.Status, 400, 599);
            Assert.Equal("What was wrong. What to do.", problem.Detail);
            Assert.Equal((problem.Detail, problem.Code), (openAi.Message, openAi.Code));
            Assert.NotEmpty(openAi.Type);
        }
    }

    [Theory]
    [InlineData(ErrorCode.ContextLengthExceeded, 400, "context_length_exceeded", "invalid_request_error")]
    [InlineData(ErrorCode.InvalidApiKey, 401, "invalid_api_key", "authentication_error")]
    [InlineData(ErrorCode.PermissionDenied, 403, "permission_denied", "permission_error")]
    [InlineData(ErrorCode.ModelNotFound, 404, "model_not_found", "not_found_error")]
    [InlineData(ErrorCode.Conflict, 409, "conflict", "conflict")]
    [InlineData(ErrorCode.Overloaded, 429, "overloaded", "rate_limit_error")]
    [InlineData(ErrorCode.InternalError, 500, "internal_error", "server_error")]
    public void What_clients_test_for_is_fixed(ErrorCode code, int status, string word, string type)
    {
        var refusal = new LlmOsException(code, "x");

        Assert.Equal((status, word, type), (Refusals.StatusOf(code), Refusals.ToOpenAi(refusal).Error.Code, Refusals.TypeOf(code)));
    }

    [Fact]
    public void A_field_is_named_in_both_shapes_and_not_twice_in_one()
    {
        var refusal = LlmOsException.Invalid("messages[0].role", "messages[0].role: must be a word.");

        Assert.Equal("messages[0].role", Refusals.ToOpenAi(refusal).Error.Param);
        Assert.Equal(["must be a word."], Refusals.ToProblem(refusal, "r").Errors!["messages[0].role"]);
    }
}
