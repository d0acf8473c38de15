using LlmOs.Contracts;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Generation;

/// <summary>Texts to write with one model: plain values, so that another process can be asked as well.</summary>
public sealed record GenerationOrder
{
    public required ServableModel Model { get; init; }

    /// <summary>What is metered: <c>completion</c>, <c>chat</c>, the name of a task, ...</summary>
    public required string Operation { get; init; }

    /// <summary>The request's field that holds the prompts, for refusals.</summary>
    public required string Field { get; init; }

    public required IReadOnlyList<GenerationPrompt> Prompts { get; init; }

    /// <summary>How each text is written. Where <see cref="Stated"/> or <see cref="Seq2Seq"/> is set, that and the model's own settings take the place of its numbers.</summary>
    public TextRequest Request { get; init; } = new() { MaxTokens = int.MaxValue };

    /// <summary>Texts for each prompt; text <c>i</c> belongs to prompt <c>i / Choices</c>.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>The first text's seed; the next ones count on from it.</summary>
    public long? Seed { get; init; }

    /// <summary>Alternatives with each log-probability of the prompts' own tokens; null: they are not scored.</summary>
    public int? PromptLogprobs { get; init; }

    public bool ScoresPrompts => PromptLogprobs is not null;

    /// <summary>The request's field that asks for log-probabilities of the prompts, for refusals; null: none does.</summary>
    public string? ScoringField { get; init; }

    /// <summary>What stands before the names of the request's arguments, for refusals: nothing, or <c>parameters.</c></summary>
    public string ArgumentsPath { get; init; } = "";

    /// <summary>What a pipeline's request states, checked; for the rest the model's generation_config.json holds. Null: <see cref="Request"/> is all.</summary>
    public GenerateArguments? Stated { get; init; }

    /// <summary>Cuts prompts that are longer; null refuses those that are too long for the model.</summary>
    public PromptCut? Cut { get; init; }

    /// <summary>How long all of it may take; null: what the server allows (<see cref="ServingOptions.TimeoutSeconds"/>).</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long the model stays loaded after this; null leaves that as it is.</summary>
    public KeepAlive? KeepAlive { get; init; }

    /// <summary>Set for a task of an encoder-decoder, whose model has settings of its own for it.</summary>
    public Seq2SeqOrder? Seq2Seq { get; init; }
}

/// <summary>One prompt. Exactly one of text, ids and conversation is set.</summary>
public sealed record GenerationPrompt
{
    /// <summary>Special tokens that it spells out are plain text.</summary>
    public string? Text { get; init; }

    /// <summary>Used as they are.</summary>
    public IReadOnlyList<int>? Ids { get; init; }

    /// <summary>The model's chat template makes its prompt.</summary>
    public Conversation? Chat { get; init; }

    /// <summary>Whether a text gets what the tokenizer puts around texts.</summary>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>Where the request holds it; null: where it holds all.</summary>
    public string? Field { get; init; }
}

/// <summary>A task of an encoder-decoder: its generation_config.json holds, over it its settings for the task, over both the request.</summary>
/// <param name="Stated">What the request states, checked.</param>
/// <param name="SourceLanguage">The language's token that ends a source; null: as the tokenizer ends it.</param>
/// <param name="TargetLanguage">The language's token that begins the text; null: as the model begins it.</param>
public sealed record Seq2SeqOrder(string Task, GenerateArguments Stated, string? SourceLanguage, string? TargetLanguage, Truncation Truncation);

/// <summary>How prompts are cut.</summary>
/// <param name="MaxTokens">Tokens that are left at most; null: those that tokenizer and model take.</param>
public sealed record PromptCut(Truncation Side, int? MaxTokens);

/// <summary>A version that is not listed yet.</summary>
/// <param name="Name">What its usage is recorded under.</param>
/// <param name="Precision">The word for how its weights are held, such as <c>f32</c>.</param>
public sealed record UnlistedModel(string Name, IReadOnlyList<ModelFileView> Files, string Precision);

/// <summary>What to do with a text that is longer than the model reads.</summary>
public enum Truncation
{
    /// <summary>Refuse it.</summary>
    None,

    /// <summary>Cut its end.</summary>
    Right,

    /// <summary>Cut its beginning.</summary>
    Left,
}
