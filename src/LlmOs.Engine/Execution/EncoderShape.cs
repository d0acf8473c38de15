namespace LlmOs.Engine.Execution;

/// <summary>What an encoder's logits are.</summary>
public enum EncoderHead
{
    /// <summary>There are none: it gives out states.</summary>
    None,

    /// <summary>A score for each token of the vocabulary at the wanted places.</summary>
    Tokens,

    /// <summary>A score for each label of a text.</summary>
    TextLabels,

    /// <summary>A score for each label of each token.</summary>
    TokenLabels,

    /// <summary>For each token the score of being an answer's first, and its last.</summary>
    Spans,
}

/// <summary>What the engine must know of an encoder graph.</summary>
/// <param name="Hidden">Width of a state.</param>
/// <param name="Vocabulary">Token ids go from 0 to one less.</param>
/// <param name="MaxTokens">Maximum tokens of a text.</param>
/// <param name="Labels">Labels of a classifier.</param>
/// <param name="HasTypes">Whether tokens have segment numbers.</param>
/// <param name="HasPooler">Whether there is an output <see cref="EncoderNames.Pooled"/>.</param>
/// <param name="PadToken">What shorter texts are filled up with.</param>
public sealed record EncoderShape(int Hidden, int Vocabulary, int MaxTokens, EncoderHead Head, int Labels, bool HasTypes, bool HasPooler, int PadToken)
{
    /// <summary>Whether there is an output <see cref="EncoderNames.LastHiddenState"/>; graphs of other exporters may have scores alone.</summary>
    public bool HasStates { get; init; } = true;

    /// <summary>Whether there is an output <see cref="EncoderNames.SentenceStates"/>.</summary>
    public bool HasSentenceStates { get; init; }

    /// <summary>Width of a sentence's vector that the graph itself makes; 0: there is no output <see cref="EncoderNames.Sentence"/>.</summary>
    public int SentenceWidth { get; init; }
}

/// <summary>Names of an encoder graph's inputs and outputs; the graph writer and the runner share them.</summary>
/// <remarks>Letters: B texts, S tokens of the longest, H hidden, N wanted places.</remarks>
public static class EncoderNames
{
    /// <summary>[B, S] i64.</summary>
    public const string InputIds = "input_ids";

    /// <summary>[B, S] i64.</summary>
    public const string TokenTypes = "token_type_ids";

    /// <summary>[B] i32: tokens of each text; what follows is padding.</summary>
    public const string Lengths = "lengths";

    /// <summary>[N] i64: flattened places (text * S + token) whose logits are wanted; only where the head scores tokens.</summary>
    public const string LogitRows = "logit_rows";

    /// <summary>[B, S, H] f32.</summary>
    public const string LastHiddenState = "last_hidden_state";

    /// <summary>[B, S, H] f32: the states that a sentence's vector is made of, where they are not the last ones.</summary>
    public const string SentenceStates = "sentence_states";

    /// <summary>[B, H] f32.</summary>
    public const string Pooled = "pooler_output";

    /// <summary>[B, W] f32: a sentence's vector, where the graph makes it.</summary>
    public const string Sentence = "sentence_embedding";

    /// <summary>By the head: [N, vocabulary], [B, labels], [B, S, labels] or [B, S, 2] f32.</summary>
    public const string Logits = "logits";

    /// <summary>[B, S, H] f32; in graphs written for comparison only.</summary>
    public static string HiddenState(int index) => $"hidden_state.{index}";
}
