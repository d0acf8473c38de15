using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>An encoder of this process at work for one request.</summary>
internal sealed class EncoderRun : IEncoderRun
{
    private readonly LoadedEncoder _model;
    private readonly EnginePlace _place;
    private readonly RunTotal _total = new();
    private readonly RunEnd _end;

    /// <param name="place">Given back at the end.</param>
    /// <param name="held">The model's lease, given back at the end.</param>
    /// <param name="load">What the request waited for the model.</param>
    public EncoderRun(LoadedEncoder model, EnginePlace place, IDisposable? held, TimeSpan load, Func<GenerationUsage, Task> record)
    {
        (_model, _place) = (model, place);
        var shape = _model.Engine.Shape;
        Facts = new EncoderFacts(_model.Reference, shape.Head, _model.Labels, _model.MaxTokens, shape.Vocabulary, shape.Hidden, _model.VectorWidth, shape.HasStates, _model.TokenizerLimit) { Prompts = _model.Layout.Prompts, LowersCase = _model.Layout.LowersCase };
        _end = new RunEnd(() => StopAsync(load), record, held);
    }

    public EncoderFacts Facts { get; }

    public async Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel)
    {
        if (wanted == EncoderOutput.States && !Facts.HasStates)
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The graph of {Facts.Reference} gives out scores alone, no states of its tokens.") { Field = "model" };
        }

        return await _total.RunAsync(_model.Engine.Submit(texts, wanted, _place), cancel).ConfigureAwait(false);
    }

    public async Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, int promptTokens, CancellationToken cancel)
    {
        var shape = _model.Engine.Shape;
        if (shape.SentenceWidth > 0)
        {
            return await RunAsync(texts, EncoderOutput.Sentence, cancel).ConfigureAwait(false);
        }

        var states = await RunAsync(texts, shape.HasSentenceStates ? EncoderOutput.SentenceStates : EncoderOutput.States, cancel).ConfigureAwait(false);
        return Array.ConvertAll(states, s => _model.Layout.Pool(s, shape.Hidden, promptTokens));
    }

    public Task<GenerationUsage> EndAsync() => _end.Task;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private async Task<GenerationUsage> StopAsync(TimeSpan load)
    {
        _place.Dispose();
        return GenerationUsage.Of(await _total.EndAsync().ConfigureAwait(false), load);
    }
}
