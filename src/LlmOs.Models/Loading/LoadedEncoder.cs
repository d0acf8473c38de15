using LlmOs.Engine;
using LlmOs.Formats.Text;

namespace LlmOs.Models.Loading;

/// <summary>A model version that reads text: its engine, its tokenizer, and how sentences become vectors.</summary>
internal sealed class LoadedEncoder(
    string reference, EncoderEngine engine, ITokenizer? tokenizer, SentenceLayout layout, EncoderLabels labels, int? tokenizerLimit) : LoadedGraph(reference, tokenizer)
{
    public EncoderEngine Engine { get; } = engine;

    public SentenceLayout Layout { get; } = layout;

    public EncoderLabels Labels { get; } = labels;

    /// <summary>Maximum tokens of a text, special ones included: the layout's limit, or the model's.</summary>
    public int MaxTokens => Math.Min(Layout.MaxTokens ?? int.MaxValue, Engine.Shape.MaxTokens);

    /// <summary>Tokens to which the tokenizer cuts a text that may be cut; null where it has no limit, or the layout has one, which goes before it.</summary>
    public int? TokenizerLimit { get; } = layout.MaxTokens is null ? tokenizerLimit : null;

    /// <summary>Width of a text's vector.</summary>
    public int VectorWidth => Engine.Shape.SentenceWidth > 0 ? Engine.Shape.SentenceWidth : Layout.WidthOf(Engine.Shape.Hidden);

    public override string Device => Engine.Device;

    public override long MemoryBytes => Engine.MemoryBytes;

    public override GraphLoad Load => new(0, Engine.Alive, KvBytes: 0, KvShare: 0); // what is in a batch is not told from what waits for one

    public override bool HasEnded => Engine.HasEnded;

    public override ValueTask DisposeAsync() => Engine.DisposeAsync();
}

/// <summary>What a classifier's scores stand for.</summary>
/// <param name="Names">By index.</param>
/// <param name="Function">What makes scores of a text's logits where a request does not say.</param>
public sealed record EncoderLabels(IReadOnlyList<string> Names, ScoreFunction Function);

/// <summary>What makes a classifier's scores of its logits.</summary>
public enum ScoreFunction
{
    /// <summary>The labels exclude each other.</summary>
    Softmax,

    /// <summary>Each score is a probability of its own.</summary>
    Sigmoid,

    /// <summary>The logits are what the model tells.</summary>
    None,
}
