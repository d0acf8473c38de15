using System.Net;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Tests.Import.SideFiles;
using LlmOs.Models.Tests.Registry;

namespace LlmOs.Models.Tests.Tasks;

/// <summary>Arguments of the pipelines on models of the golden set, which a clone carries.</summary>
public sealed class PipelineArgumentTests : RegistryHttpTests
{
    private const string ShortTokenizer = """{"tokenizer_class":"BertTokenizer","do_lower_case":true,"model_max_length":20}""";

    private static readonly string ManyWords = string.Join(' ', Enumerable.Repeat("a", 50));

    /// <summary>The model reads 64 tokens, the tokenizer cuts to 20.</summary>
    [Theory]
    [InlineData("true", 20)]
    [InlineData("\"longest_first\"", 20)]
    [InlineData("\"only_first\"", 20)]
    [InlineData("false", 52)]
    [InlineData("null", 52)]
    [InlineData("\"do_not_truncate\"", 52)]
    public async Task A_cut_goes_to_the_tokenizers_own_limit_and_only_where_one_is_asked_for(string truncation, int tokens)
    {
        await ImportAsync("encoder", ("tokenizer_config.json", ShortTokenizer), ("modules.json", null));

        var states = await PostAsync("/models/m", $$$"""{"inputs":"{{{ManyWords}}}","parameters":{"truncation":{{{truncation}}} } }""");

        Assert.Equal(tokens, states[0].GetArrayLength());
    }

    [Fact]
    public async Task Beyond_what_the_model_reads_nothing_is_cut_unasked()
    {
        await ImportAsync("encoder", ("tokenizer_config.json", ShortTokenizer), ("modules.json", null));

        var refused = await SendAsync(HttpMethod.Post, "/models/m", new { inputs = ManyWords + " " + ManyWords, parameters = new { truncation = "do_not_truncate" } });

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Equal("ContextLengthExceeded", refused.Body.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(Truncation.None, 13)]
    [InlineData(Truncation.Right, 7)]
    public async Task An_encoder_decoders_source_is_cut_to_the_tokenizers_own_limit(Truncation truncation, int tokens)
    {
        await ImportAsync("encoder-decoder", ("tokenizer_config.json", """{"model_max_length":7}"""));
        var order = new GenerationOrder
        {
            Model = await World.Get<ModelCatalogue>().FindAsync("m", TestContext.Current.CancellationToken),
            Operation = "summarization",
            Field = "inputs",
            Prompts = [new GenerationPrompt { Text = "a b c a b c" }],
            Seq2Seq = new Seq2SeqOrder("summarization", new GenerateArguments { MaxNewTokens = 1 }, null, null, truncation),
        };

        await using var run = await World.Get<IGenerationService>().WriteAsync(order, new GenerationCaller(), TestContext.Current.CancellationToken);

        Assert.Equal((tokens, 1), (run.Prompts[0].Length, run.Prompts[0][^1])); // what ends a source stays
    }

    [Fact]
    public async Task What_a_request_does_not_state_the_models_own_settings_say()
    {
        await ImportAsync("decoder", ("generation_config.json", """{"eos_token_id":63,"max_new_tokens":3,"suppress_tokens":[40,41],"repetition_penalty":1.5}"""));

        var own = await PostAsync("/pipeline/text-generation", """{"model":"m","inputs":"a b","parameters":{"return_tensors":true}}""");
        var stated = await PostAsync("/pipeline/text-generation", """{"model":"m","inputs":"a b","parameters":{"return_tensors":true,"max_new_tokens":5,"generate_parameters":{"max_new_tokens":9,"repetition_penalty":1.5}}}""");
        var prompt = await PostAsync("/api/v1/tokenizers/m/encode", """{"texts":["a b"]}""");

        var begun = prompt.GetProperty("ids")[0].GetArrayLength();
        var (three, five) = (own[0].GetProperty("generated_token_ids").EnumerateArray().Select(i => i.GetInt32()).ToList(), stated[0].GetProperty("generated_token_ids").EnumerateArray().Select(i => i.GetInt32()).ToList());
        Assert.Equal(begun + 3, three.Count);
        Assert.Equal(begun + 5, five.Count);
        Assert.Equal(three, five.Take(three.Count));
    }

    [Fact]
    public async Task Text_generation_inferences_number_keeps_the_end_of_a_prompt()
    {
        await ImportAsync("decoder");

        var cut = await PostAsync("/pipeline/text-generation", """{"model":"m","inputs":"a b abc a b abc","parameters":{"return_tensors":true,"max_new_tokens":1,"do_sample":false,"truncate":2}}""");

        Assert.Equal(3, cut[0].GetProperty("generated_token_ids").GetArrayLength());
    }

    [Theory]
    [InlineData("""{"truncation":"sometimes"}""", "parameters.truncation")]
    [InlineData("""{"truncate":0}""", "parameters.truncate")]
    [InlineData("""{"generate_parameters":{"suppress_tokens":[64]}}""", "parameters.generate_parameters.suppress_tokens")]
    [InlineData("""{"eos_token_id":"end"}""", "parameters.eos_token_id")]
    [InlineData("""{"sequence_bias":[[1,2]]}""", "parameters.sequence_bias")]
    [InlineData("""{"bad_words_ids":[[]]}""", "parameters.bad_words_ids[0]")]
    public async Task What_cannot_be_done_is_refused_by_its_place(string parameters, string field)
    {
        await ImportAsync("decoder");

        var refused = await SendAsync(HttpMethod.Post, "/pipeline/text-generation", new { model = "m", inputs = "a", parameters = JsonDocument.Parse(parameters).RootElement });

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains($"'{field}'", refused.Body.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("He said ' hello ' , do n't .", "He said'hello ', don't.")]
    [InlineData("I 'm we 've you 're it 's ! ?", "I'm we've you're it's!?")]
    public void Blanks_before_punctuation_and_short_forms_are_taken_away(string text, string expected) => Assert.Equal(expected, Models.Tasks.SpaceCleanUp.Of(text));

    /// <param name="changes">Side files with another content; null leaves one out.</param>
    private async Task ImportAsync(string kind, params IReadOnlyList<(string File, string? Content)> changes)
    {
        var model = WalkedModel.All[kind];
        var files = new Dictionary<string, string>(model.Files);
        foreach (var (file, content) in changes)
        {
            files.Remove(file);
            if (content is not null)
            {
                files.Add(file, content);
            }
        }

        var folder = Path.Combine(World.Folder.Import, "m");
        (model with { Files = files }).Write(folder);
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });
    }

    private async Task<JsonElement> PostAsync(string path, string json)
    {
        using var answer = await Http.PostAsync(path, new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
