using LlmOs.Engine;
using LlmOs.Engine.Text;

namespace LlmOs.Models.Serving;

/// <summary>A model version that can answer: its engine, and what turns text into its tokens and back.</summary>
internal sealed class LoadedModel(
    string reference,
    InferenceEngine engine,
    ITokenizer? tokenizer,
    ChatPrompts? chat,
    IReadOnlyList<int> endTokens,
    int? beginToken) : IAsyncDisposable
{
    /// <summary><c>name:3</c>.</summary>
    public string Reference { get; } = reference;

    public InferenceEngine Engine { get; } = engine;

    /// <summary>Null for a model that was imported without one.</summary>
    public ITokenizer? Tokenizer { get; } = tokenizer;

    /// <summary>Null without a tokenizer.</summary>
    public ChatPrompts? Chat { get; } = chat;

    /// <summary>Null without a tokenizer.</summary>
    public TokenTexts? Texts { get; } = tokenizer is null ? null : new TokenTexts(tokenizer);

    /// <summary>Ids that end a reply.</summary>
    public IReadOnlyList<int> EndTokens { get; } = endTokens;

    /// <summary>What an empty prompt becomes; null when the model names none.</summary>
    public int? BeginToken { get; } = beginToken;

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
