using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Engine.Execution;
using LlmOs.Formats.Tokenizers;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Tasks;

namespace LlmOs.Models.Tests.Tasks;

/// <summary>An encoder whose logits a test says, so that a task's own rules are what is seen.</summary>
/// <param name="logits">Of a text's ids: [tokens, labels].</param>
internal sealed class ScriptedEncoder(IReadOnlyList<string> labels, Func<int[], float[]> logits) : IEncoderRun
{
    public EncoderFacts Facts { get; } = new("scripted:1", EncoderHead.TokenLabels, new EncoderLabels(labels, ScoreFunction.Softmax), 64, 512, 1, 1, HasStates: true, TokenizerLimit: null);

    /// <summary>Asks a task of a model with a tokenizer.</summary>
    public async Task<JsonElement> AskAsync(
        Func<EncoderModel, PipelineRequest, CancellationToken, Task<object>> task, string tokenizerJson, object inputs, PipelineParameters? parameters = null)
    {
        var model = new EncoderModel(this, TokenizerJson.Parse(Encoding.UTF8.GetBytes(tokenizerJson)));
        var request = new PipelineRequest { Inputs = JsonSerializer.SerializeToElement(inputs, LlmOsJson.Options), Parameters = parameters };
        return JsonSerializer.SerializeToElement(await task(model, request, TestContext.Current.CancellationToken), LlmOsJson.Options);
    }

    public Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel) => Task.FromResult(texts.Select(text => logits(text.Ids)).ToArray());

    public Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, int promptTokens, CancellationToken cancel) => throw new NotSupportedException();

    public Task<GenerationUsage> EndAsync() => Task.FromResult(new GenerationUsage(0, 0, 0, default, default, default, default));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
