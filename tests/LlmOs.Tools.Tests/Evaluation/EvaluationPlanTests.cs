using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Evaluation;

namespace LlmOs.Tools.Tests.Evaluation;

public class EvaluationPlanTests
{
    private static readonly EvaluationRequest Perplexity = new() { Kind = "perplexity", Model = "m", Text = "file:/t.txt" };
    private static readonly MultipleChoiceRow Row = new() { Context = "a", Choices = ["b", "c"], Answer = 1 };

    public static TheoryData<string, EvaluationRequest> Refused => new()
    {
        { "kind", Perplexity with { Kind = "bleu" } },
        { "text", Perplexity with { Text = null } },
        { "rows", Perplexity with { Rows = [Row] } },
        { "window", Perplexity with { Window = 1 } },
        { "stride", Perplexity with { Window = 8, Stride = 9 } },
        { "stride", Perplexity with { Stride = 0 } },
        { "max_tokens", Perplexity with { MaxTokens = 1 } },
        { "begin", Perplexity with { Window = 8, Stride = 4, Begin = true } },
        { "rows", Choice(null) },
        { "rows", Choice([]) },
        { "text", Choice(Row) with { Text = "file:/t.txt" } },
        { "window", Choice(Row) with { Window = 8 } },
        { "rows[1]", Choice(Row, null!) },
        { "rows[1].context", Choice(Row, Row with { Context = null! }) },
        { "rows[1].choices", Choice(Row, Row with { Choices = ["b"] }) },
        { "rows[1].choices", Choice(Row, Row with { Choices = ["b", ""] }) },
        { "rows[1].choices", Choice(Row, Row with { Choices = null! }) },
        { "rows[1].answer", Choice(Row, Row with { Answer = 2 }) },
        { "rows[1].answer", Choice(Row, Row with { Answer = -1 }) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_bad_field_is_refused_by_its_name(string field, EvaluationRequest request)
    {
        var refusal = Assert.Throws<LlmOsException>(() => EvaluationPlan.Of(request));

        Assert.Equal((ErrorCode.InvalidRequest, field), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void What_was_left_out_has_a_default() =>
        Assert.Equal(new PerplexityPlan("file:/t.txt", null, null, 65_536, false), EvaluationPlan.Of(Perplexity));

    private static EvaluationRequest Choice(params MultipleChoiceRow[]? rows) => new() { Kind = "multiple_choice", Model = "m", Rows = rows };
}
