using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Models.Generation;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Loading;

/// <summary>What a model is busy with.</summary>
/// <param name="Running">Sequences that it works on.</param>
/// <param name="Waiting">Sequences that wait for that.</param>
/// <param name="KvBytes">Keys and values of those that it works on.</param>
/// <param name="KvShare">The same as a share of the cache, 0 to 1.</param>
internal readonly record struct GraphLoad(int Running, int Waiting, long KvBytes, double KvShare);

/// <summary>What every kind of loaded model version has.</summary>
internal abstract class LoadedGraph(string reference, ITokenizer? tokenizer) : IAsyncDisposable
{
    /// <summary><c>name:3</c>.</summary>
    public string Reference { get; } = reference;

    /// <summary>Null for a model that was imported without one.</summary>
    public ITokenizer? Tokenizer { get; } = tokenizer;

    /// <summary><c>cpu</c> or <c>cuda:0</c>.</summary>
    public abstract string Device { get; }

    public abstract long MemoryBytes { get; }

    public abstract GraphLoad Load { get; }

    /// <summary>Whether its engine ended: it answers nothing any more.</summary>
    public abstract bool HasEnded { get; }

    public abstract ValueTask DisposeAsync();
}

/// <summary>A model version that writes text: its engine, and what turns text into its tokens and back.</summary>
internal sealed class LoadedModel(
    string reference,
    InferenceEngine engine,
    ITokenizer? tokenizer,
    ChatPrompts? chat,
    IReadOnlyList<int> endTokens,
    int? beginToken,
    GenerationSetup generation,
    int? tokenizerLimit) : LoadedGraph(reference, tokenizer)
{
    public InferenceEngine Engine { get; } = engine;

    public override string Device => Engine.Device;

    public override long MemoryBytes => Engine.MemoryBytes;

    public override GraphLoad Load
    {
        get
        {
            var now = Engine.Snapshot();
            return new GraphLoad(now.SlotsInUse, now.Waiting, now.KvTokens * Engine.Shape.KvBytesPerToken, now.KvCapacity > 0 ? (double)now.KvTokens / now.KvCapacity : 0);
        }
    }

    public override bool HasEnded => Engine.HasEnded;

    /// <summary>Null without a tokenizer.</summary>
    public ChatPrompts? Chat { get; } = chat;

    /// <summary>Null without a tokenizer.</summary>
    public TokenTexts? Texts { get; } = tokenizer is null ? null : new TokenTexts(tokenizer);

    /// <summary>What the model's own generation_config.json forces and forbids.</summary>
    public TokenRules Rules { get; } = generation.Rules;

    /// <summary>All that it says, for pipelines.</summary>
    public GenerateArguments Defaults { get; } = generation.Defaults;

    /// <summary>Set for an encoder-decoder.</summary>
    public Seq2SeqSetup? Seq2Seq { get; } = generation.Seq2Seq;

    /// <summary>Tokens to which the tokenizer cuts a text that may be cut; null where it has no limit.</summary>
    public int? TokenizerLimit { get; } = tokenizerLimit;

    /// <summary>Ids that end a reply.</summary>
    public IReadOnlyList<int> EndTokens { get; } = endTokens;

    /// <summary>What an empty prompt becomes; null when the model names none.</summary>
    public int? BeginToken { get; } = beginToken;

    public override ValueTask DisposeAsync() => Engine.DisposeAsync();
}
