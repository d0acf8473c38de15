using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;

namespace LlmOs.Models.Tests.Dialects.OpenAi;

public class OpenAiDialectTests
{
    [Fact]
    public void Every_code_has_a_word_for_its_type()
    {
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            var error = ErrorOf(new LlmOsException(code, "What was wrong.") { Hint = "What to do." });

            Assert.Equal(("What was wrong. What to do.", code.ToWord()), (error.Message, error.Code));
            Assert.NotEmpty(error.Type);
        }
    }

    [Theory]
    [InlineData(ErrorCode.ContextLengthExceeded, 400, "invalid_request_error")]
    [InlineData(ErrorCode.InvalidApiKey, 401, "authentication_error")]
    [InlineData(ErrorCode.PermissionDenied, 403, "permission_error")]
    [InlineData(ErrorCode.ModelNotFound, 404, "not_found_error")]
    [InlineData(ErrorCode.MethodNotAllowed, 405, "invalid_request_error")]
    [InlineData(ErrorCode.Conflict, 409, "conflict")]
    [InlineData(ErrorCode.PreconditionFailed, 412, "conflict")]
    [InlineData(ErrorCode.RequestTooLarge, 413, "invalid_request_error")]
    [InlineData(ErrorCode.Overloaded, 429, "rate_limit_error")]
    [InlineData(ErrorCode.InternalError, 500, "server_error")]
    [InlineData(ErrorCode.Unavailable, 503, "overloaded")]
    [InlineData(ErrorCode.Timeout, 504, "server_error")]
    [InlineData(ErrorCode.OutOfDisk, 507, "server_error")]
    public void What_clients_test_for_is_fixed(ErrorCode code, int status, string type)
    {
        var error = OpenAiDialect.Instance.ErrorOf(new LlmOsException(code, "x"), "r");

        Assert.Equal((status, type), (error.Status, ((ErrorBody)error.Body).Error.Type));
    }

    [Fact]
    public void A_field_is_named() =>
        Assert.Equal("messages[0].role", ErrorOf(LlmOsException.Invalid("messages[0].role", "messages[0].role: must be a word.")).Param);

    private static ErrorDetail ErrorOf(LlmOsException refusal) => ((ErrorBody)OpenAiDialect.Instance.ErrorOf(refusal, "r").Body).Error;
}
