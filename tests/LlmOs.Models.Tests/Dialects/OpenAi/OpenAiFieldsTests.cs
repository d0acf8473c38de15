using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tests.Dialects.OpenAi;

public class OpenAiFieldsTests
{
    private const int Vocabulary = 100;

    [Theory]
    [InlineData("temperature", "-1")]
    [InlineData("temperature", "2.01")]
    [InlineData("temperature", "1e308")]
    [InlineData("top_p", "1.1")]
    [InlineData("top_k", "-1")]
    [InlineData("min_p", "2")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("presence_penalty", "2.5")]
    [InlineData("frequency_penalty", "-3")]
    [InlineData("min_tokens", "-1")]
    [InlineData("min_tokens", "17")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_tokens", "1000001")]
    [InlineData("n", "0")]
    [InlineData("n", "129")]
    [InlineData("best_of", "0")]
    [InlineData("logprobs", "21")]
    [InlineData("logprobs", "-1")]
    [InlineData("stop", "[\"a\",\"b\",\"c\",\"d\",\"e\"]")]
    [InlineData("stop", "\"\"")]
    [InlineData("stop_token_ids", "[100]")]
    [InlineData("logit_bias", "{\"100\":1}")]
    [InlineData("logit_bias", "{\"-1\":1}")]
    [InlineData("logit_bias", "{\"abc\":1}")]
    [InlineData("logit_bias", "{\"1\":101}")]
    [InlineData("num_beams", "0")]
    [InlineData("num_beams", "257")]
    [InlineData("length_penalty", "1e9")]
    [InlineData("early_stopping", "\"soon\"")]
    [InlineData("typical_p", "1.5")]
    [InlineData("no_repeat_ngram_size", "-1")]
    [InlineData("bad_words_ids[0]", "[[100]]")]
    [InlineData("bad_words_ids[0]", "[[]]")]
    [InlineData("grammar", "\"root ::= x\"")]
    [InlineData("regex", "\"a+\"")]
    [InlineData("choice", "[\"a\"]")]
    [InlineData("suffix", "\"end\"")]
    public void What_cannot_be_done_is_refused_by_its_field(string field, string json)
    {
        var refusal = Assert.Throws<LlmOsException>(() => Plan($"\"{field.Split('[')[0]}\":{json}"));

        Assert.Equal(ErrorCode.InvalidRequest, refusal.Code);
        Assert.Equal(field, refusal.Field);
        Assert.Contains(field, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"num_beams\":1,\"length_penalty\":1.0")]
    [InlineData("\"typical_p\":1,\"no_repeat_ngram_size\":0,\"early_stopping\":false")]
    [InlineData("\"grammar\":null,\"regex\":null,\"choice\":null,\"adapter\":null,\"suffix\":\"\"")]
    public void A_field_that_asks_for_nothing_is_accepted_before_it_is_built(string fields)
    {
        Assert.Equal(16, Plan(fields).Request.MaxTokens);
    }

    [Theory]
    [InlineData("null", "m")]
    [InlineData("false", "m")]
    [InlineData("\"mine\"", "m+mine")]
    [InlineData("\"mine:2\"", "m+mine:2")]
    public void An_adapter_is_a_part_of_the_models_name(string json, string model)
    {
        Assert.Equal(model, GenerationRules.WithAdapter("m", JsonDocument.Parse(json).RootElement, "adapter"));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("\"\"")]
    [InlineData("[\"a\"]")]
    public void What_is_no_adapters_name_is_refused_by_its_field(string json)
    {
        Assert.Equal("adapter", Assert.Throws<LlmOsException>(() => GenerationRules.WithAdapter("m", JsonDocument.Parse(json).RootElement, "adapter")).Field);
    }

    [Fact]
    public void Beams_give_as_many_texts_as_there_are_beams_at_most()
    {
        var plan = Plan("\"num_beams\":3,\"n\":2,\"length_penalty\":0.5,\"early_stopping\":\"never\"");
        var refusal = Assert.Throws<LlmOsException>(() => Plan("\"num_beams\":2,\"n\":3"));

        Assert.Equal(new Engine.BeamSettings(3, 0.5, Engine.EarlyStopping.Never), plan.Request.Beams);
        Assert.Equal("num_beams", refusal.Field);
    }

    [Fact]
    public void Absent_and_null_fields_change_nothing()
    {
        var plan = Plan("\"temperature\":null,\"stop\":null,\"n\":null,\"logit_bias\":null,\"stream\":null");

        Assert.Equal(new Engine.SamplingParameters(), plan.Request.Sampling);
        Assert.Empty(plan.Request.Stop);
        Assert.Equal(1, plan.Choices);
        Assert.False(plan.Stream);
    }

    [Fact]
    public void A_share_of_nothing_means_the_likeliest_token()
    {
        Assert.True(Plan("\"top_p\":0").Request.Sampling.TopP is > 0 and < 1e-300);
    }

    [Fact]
    public void Zero_tokens_are_for_an_echo_alone()
    {
        Assert.Equal(0, Plan("\"max_tokens\":0,\"echo\":true").Request.MaxTokens);
    }

    [Fact]
    public void The_best_cannot_be_streamed()
    {
        Assert.Equal("best_of", Assert.Throws<LlmOsException>(() => Plan("\"best_of\":3,\"stream\":true")).Field);
        Assert.Equal((3, 1), (Plan("\"best_of\":3").Choices, Plan("\"best_of\":3").Shown));
    }

    private static CompletionPlan Plan(string fields)
    {
        var request = JsonSerializer.Deserialize<CompletionRequest>($$"""{"prompt":"x",{{fields}}}""", LlmOsJson.Options)!;
        CompletionPlan.CheckShape(request);
        return CompletionPlan.From(request, Vocabulary);
    }
}
