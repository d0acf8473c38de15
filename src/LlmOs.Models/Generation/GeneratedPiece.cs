using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>A new token of a text and what it adds to it.</summary>
/// <param name="Index">Which text: those of the first prompt come first.</param>
/// <param name="Token">Its id.</param>
/// <param name="Text">What can be shown now; may be empty while a character or a stop text is not yet decided.</param>
/// <param name="Length">Characters of the token's own share of the text, stop texts included, as <see cref="CharacterPlaces"/> counts them.</param>
/// <param name="Finish">Set on the last piece.</param>
/// <param name="ByStopText">Whether a stop text ended the reply.</param>
/// <param name="IsEndToken">Whether the token ended the reply itself and so is no part of its text.</param>
/// <param name="Shown">How the token is shown; null unless log-probabilities were asked for.</param>
/// <param name="Score">On the last piece of a text that a beam search found.</param>
public sealed record GeneratedPiece(
    int Index, int Token, string Text, int Length, FinishReason? Finish, bool ByStopText, bool IsEndToken, ShownToken? Shown, double? Score);

/// <summary>A token as a list of log-probabilities shows it.</summary>
/// <param name="Text">As it stands within a text; a part of a character as <c>bytes:\xe4\xbd</c>; the id where there is no tokenizer.</param>
/// <param name="Bytes">UTF-8; null where they cannot be told.</param>
/// <param name="Logprob">Natural, of the model's own softmax; null where nothing stood before it.</param>
/// <param name="Top">The likeliest tokens at its place, best first.</param>
public sealed record ShownToken(int Id, string Text, byte[]? Bytes, bool IsSpecial, float? Logprob, IReadOnlyList<ShownToken> Top);

/// <summary>A prompt as it is echoed.</summary>
/// <param name="Tokens">With log-probabilities; empty unless asked for.</param>
/// <param name="Starts">For each token the characters of the text before it; the parts of a split character begin where it does.</param>
public sealed record PromptEcho(string Text, IReadOnlyList<ShownToken> Tokens, IReadOnlyList<int> Starts);
