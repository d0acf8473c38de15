using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Loading;

/// <summary>A model version that reads text: its engine, its tokenizer, and how sentences become vectors.</summary>
internal sealed class LoadedEncoder(
    string reference, EncoderEngine engine, ITokenizer? tokenizer, SentenceLayout layout, EncoderLabels labels) : LoadedGraph(reference, tokenizer)
{
    public EncoderEngine Engine { get; } = engine;

    public SentenceLayout Layout { get; } = layout;

    public EncoderLabels Labels { get; } = labels;

    /// <summary>Maximum tokens of a text, special ones included: the layout's limit, or the model's.</summary>
    public int MaxTokens => Math.Min(Layout.MaxTokens ?? int.MaxValue, Engine.Shape.MaxTokens);

    /// <summary>Width of a text's vector.</summary>
    public int VectorWidth => Engine.Shape.SentenceWidth > 0 ? Engine.Shape.SentenceWidth : Engine.Shape.Hidden * Layout.Poolings.Count;

    /// <summary>A vector for each text: the graph's own where it makes one, else the states pooled as the layout says.</summary>
    public async Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, CancellationToken cancel)
    {
        if (Engine.Shape.SentenceWidth > 0)
        {
            return await Engine.RunAsync(texts, EncoderOutput.Sentence, cancel);
        }

        RequireStates();
        var states = await Engine.RunAsync(texts, EncoderOutput.States, cancel);
        return Array.ConvertAll(states, s => Layout.Pool(s, Engine.Shape.Hidden));
    }

    /// <exception cref="LlmOsException">400: the graph gives out scores alone.</exception>
    public void RequireStates()
    {
        if (!Engine.Shape.HasStates)
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The graph of {Reference} gives out scores alone, no states of its tokens.") { Field = "model" };
        }
    }

    public override string Device => Engine.Device;

    public override long MemoryBytes => Engine.MemoryBytes;

    public override ValueTask DisposeAsync() => Engine.DisposeAsync();
}

/// <summary>What a classifier's scores stand for.</summary>
/// <param name="Names">By index.</param>
/// <param name="MultiLabel">Whether each score is a probability of its own.</param>
internal sealed record EncoderLabels(IReadOnlyList<string> Names, bool MultiLabel);
