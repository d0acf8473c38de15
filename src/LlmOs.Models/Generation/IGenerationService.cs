using LlmOs.Engine;
using LlmOs.Engine.Execution;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>
/// The only way to a loaded model. It finds the version that a name means, applies its chat template, checks limits, holds the
/// model while it runs, and leaves one usage record for each run, made of the engine's own counts.
/// </summary>
/// <remarks>
/// Records go in, records and streams of records come out, so that the model may run in another process. A run must be disposed
/// of: that stops what still runs, waits until the engine has let go of it, and records what was made until then.
/// </remarks>
public interface IGenerationService
{
    /// <summary>The version that a model string means.</summary>
    /// <param name="need">What it has to be for.</param>
    /// <param name="field">Where the request names it.</param>
    Task<ServableModel> FindAsync(string? name, ModelNeed need, string field, CancellationToken cancel);

    /// <summary>The same where the name may be left out while there is one model only: clients of servers with one model name none.</summary>
    Task<ServableModel> FindOnlyAsync(string? name, CancellationToken cancel);

    /// <summary>Begins to write texts; refuses prompts that do not fit the model.</summary>
    Task<ITextRun> WriteAsync(GenerationOrder order, GenerationCaller caller, CancellationToken cancel);

    /// <summary>Holds a model that scores given tokens.</summary>
    Task<IScoringRun> ScoreAsync(ServableModel model, GenerationCaller caller, CancellationToken cancel);

    /// <summary>Holds a model that reads texts: embeddings, and heads that label.</summary>
    /// <param name="operation">What is metered: <c>embedding</c> or the name of a task.</param>
    Task<IEncoderRun> ReadAsync(ServableModel model, string operation, GenerationCaller caller, CancellationToken cancel);

    /// <summary>Opens a version that is not listed yet, on the CPU, to compare what it answers with what it should.</summary>
    Task<IProbeRun> ProbeAsync(UnlistedModel model, GenerationCaller caller, CancellationToken cancel);
}

/// <summary>What a model has to be for.</summary>
public enum ModelNeed
{
    Any,

    /// <summary>Writes text: a decoder or an encoder-decoder.</summary>
    Writing,

    /// <summary>Continues text: a decoder.</summary>
    Continuing,

    /// <summary>Says how likely a text is: a decoder with a tokenizer.</summary>
    Scoring,

    /// <summary>Reads text: an encoder.</summary>
    Reading,
}

/// <summary>A run of a model.</summary>
public interface IModelRun : IAsyncDisposable
{
    /// <summary>Stops what still runs, waits for the engine to let go of it, gives the model back and records the usage. The same answer however often it is called.</summary>
    Task<GenerationUsage> EndAsync();
}

/// <summary>Texts that are being written.</summary>
public interface ITextRun : IModelRun
{
    ServableModel Model { get; }

    /// <summary>Ids of each prompt.</summary>
    IReadOnlyList<int[]> Prompts { get; }

    /// <summary>Texts for each prompt.</summary>
    int Choices { get; }

    /// <summary>Whether the model has a tokenizer; without one only ids go in and out.</summary>
    bool HasTokenizer { get; }

    /// <summary>Whether the chat template shows tools to the model.</summary>
    bool KnowsTools { get; }

    /// <summary>The texts' pieces as they come; those of one text in order. To be read once.</summary>
    IAsyncEnumerable<GeneratedPiece> Pieces(CancellationToken cancel);

    /// <summary>The prompt's own text.</summary>
    /// <remarks>With its log-probabilities where the order asked for them (<see cref="GenerationOrder.ScoresPrompts"/>).</remarks>
    Task<PromptEcho> EchoAsync(int prompt, CancellationToken cancel);
}

/// <summary>A model that scores tokens.</summary>
public interface IScoringRun : IModelRun
{
    /// <summary><c>name:3</c></summary>
    string Reference { get; }

    /// <summary>Maximum tokens of one run.</summary>
    int ContextLength { get; }

    /// <summary>Null for a model that names none.</summary>
    int? BeginToken { get; }

    /// <summary>Ids of a text without special tokens; special tokens spelt out in it are plain text.</summary>
    int[] Encode(string text);

    /// <summary>UTF-8 bytes that the tokens stand for.</summary>
    long BytesOf(IEnumerable<int> ids);

    /// <summary>Scores of <c>ids[from..]</c>, each given everything before it; <paramref name="from"/> is at least 1.</summary>
    Task<TokenScore[]> ScoreAsync(int[] ids, int from, CancellationToken cancel);
}

/// <summary>A token's log-probability (natural), and whether no other token was likelier.</summary>
public readonly record struct TokenScore(double Logprob, bool IsLikeliest);

/// <summary>A model that reads texts.</summary>
public interface IEncoderRun : IModelRun
{
    EncoderFacts Facts { get; }

    /// <summary>One result a text, in their order.</summary>
    Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel);

    /// <summary>A vector for each text: the model's own where it makes one, else its states pooled as its layout says.</summary>
    /// <param name="promptTokens">How many tokens of each text are those of a prompt before it.</param>
    Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, int promptTokens, CancellationToken cancel);
}

/// <summary>What must be known of an encoder to ask it.</summary>
/// <param name="Reference"><c>name:3</c></param>
/// <param name="MaxTokens">Maximum tokens of a text, special ones included.</param>
/// <param name="Hidden">Width of a token's state.</param>
/// <param name="VectorWidth">Width of a text's vector.</param>
/// <param name="HasStates">False where it gives out scores alone.</param>
/// <param name="TokenizerLimit">Tokens to which the tokenizer cuts a text that may be cut; null where it has no limit.</param>
public sealed record EncoderFacts(
    string Reference, EncoderHead Head, EncoderLabels Labels, int MaxTokens, int Vocabulary, int Hidden, int VectorWidth, bool HasStates, int? TokenizerLimit)
{
    /// <summary>Texts that the model wants before what it reads.</summary>
    public SentencePrompts Prompts { get; init; } = SentencePrompts.None;

    /// <summary>Whether texts of which vectors are made are brought to small letters first.</summary>
    public bool LowersCase { get; init; }
}

/// <summary>An unlisted version that is looked at.</summary>
public interface IProbeRun : IModelRun
{
    /// <summary>[ids, vocabulary], row by row.</summary>
    Task<float[]> LogitsAsync(int[] ids, CancellationToken cancel);

    /// <summary>The ids that it goes on with, always the likeliest; an end token closes them.</summary>
    Task<IReadOnlyList<int>> ContinueAsync(int[] ids, int maxTokens, int endToken, CancellationToken cancel);
}
