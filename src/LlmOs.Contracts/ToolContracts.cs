using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>Asks for a training job. What is null takes the default that is stated.</summary>
public sealed record TrainingRequest
{
    /// <summary><c>pretrain</c> (default): next-token training on plain text.</summary>
    public string? Kind { get; init; }

    /// <summary>The model that the result becomes a version of: <c>[a-z0-9][a-z0-9._-]{0,63}</c>, at most one <c>/</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>file:/path.txt</c>, UTF-8, beneath one of <c>LLMOS_IMPORT_DIRS</c>. <c>&lt;|endoftext|&gt;</c> separates documents.</summary>
    public string? Text { get; init; }

    /// <summary>How the text's file is written: <c>utf-8</c> (default) or <c>windows-1252</c>. A byte order mark is read and is no text.</summary>
    public string? Encoding { get; init; }

    /// <summary><c>name:version</c> of a data set, instead of <see cref="Text"/>: each row is a document. Where it has a split <c>train</c>, that alone is read.</summary>
    public string? Dataset { get; init; }

    /// <summary>The column of <see cref="Dataset"/> that holds the text. Default: <c>text</c>.</summary>
    public string? Column { get; init; }

    /// <summary>A stored model whose weights, shape and tokenizer the training starts from.</summary>
    public string? Base { get; init; }

    /// <summary>What to train, or which stored tokenizer or stored model's tokenizer to reuse. Required unless <see cref="Base"/> is given.</summary>
    public TokenizerChoice? Tokenizer { get; init; }

    /// <summary>The shape of the new model. Required unless <see cref="Base"/> is given.</summary>
    public ArchitectureSpec? Architecture { get; init; }

    /// <summary>How long to train; exactly one of its fields.</summary>
    public TrainingBudget? Budget { get; init; }

    /// <summary>Tokens of a training window. Default: the architecture's context; with <see cref="Base"/> the model's own, at most 1024.</summary>
    public int? Window { get; init; }

    /// <summary>Tokens of one optimizer step; a multiple of the window. Default: 8 windows.</summary>
    public int? BatchTokens { get; init; }

    /// <summary>Tokens of one forward and backward pass; a step is as many of them as it needs. Default: at most 4096.</summary>
    public int? MicroBatchTokens { get; init; }

    /// <summary>The highest rate of the schedule. Default: 1e-3.</summary>
    public double? LearningRate { get; init; }

    /// <summary>How the rate falls after the warm-up: <c>cosine</c> (default), <c>linear</c>, or <c>constant</c>: not at all.</summary>
    public string? Schedule { get; init; }

    /// <summary>Share of the training in which the rate rises from 0. Default: 0.05.</summary>
    public double? Warmup { get; init; }

    /// <summary>Where the fall ends, as a share of the highest rate. Default: 0.1.</summary>
    public double? MinimumRate { get; init; }

    /// <summary>AdamW's decoupled decay, on matrices other than the embedding. Default: 0.1.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Largest L2 norm of the gradient; a larger one is scaled down. Default: 1.</summary>
    public double? Clip { get; init; }

    /// <summary><c>auto</c> (default), <c>f32</c>, or <c>bf16</c> with f32 master weights.</summary>
    public string? Precision { get; init; }

    /// <summary>How the result's weights are stored: <c>f32</c> (default), or rounded to <c>f16</c>.</summary>
    public string? Weights { get; init; }

    /// <summary>Fixes the initial weights and the order of the data. Default: 1.</summary>
    public long? Seed { get; init; }

    /// <summary>Steps between two checkpoints; 0 writes none, except for a pause. Default: 200.</summary>
    public int? CheckpointEvery { get; init; }

    /// <summary>Steps between two measurements of the validation loss. Default: a twentieth of the training.</summary>
    public int? ValidateEvery { get; init; }

    /// <summary>
    /// Ends the training after so many validations in a row that did not improve, and keeps the best weights. Default: never.
    /// Needs validation and checkpoints.
    /// </summary>
    public int? Patience { get; init; }

    /// <summary>
    /// Beginnings of texts to go on with whenever the validation loss is measured, at most 4; an empty text begins a document.
    /// Default: one empty text. An empty list asks for none.
    /// </summary>
    public IReadOnlyList<string>? Samples { get; init; }

    /// <summary>Share of the documents kept for validation (of the tokens, where there are few documents). Default: 0.05.</summary>
    public double? Validation { get; init; }

    /// <summary>Threads of the training. Default: one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>A chat template (Jinja) to store with the model.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Licence of the result, as an SPDX identifier.</summary>
    public string? License { get; init; }

    /// <summary>The alias to point at the new version. Default: <c>latest</c>.</summary>
    public string? Alias { get; init; }
}

/// <summary>Where the tokenizer comes from: <c>{"train": "bpe", "vocabulary": 4096}</c>, or the name of a stored tokenizer or model as a plain string.</summary>
[JsonConverter(typeof(TokenizerChoiceConverter))]
public sealed record TokenizerChoice
{
    /// <summary>A stored tokenizer, or a stored model whose tokenizer is reused; null when one is trained.</summary>
    [TextLength(200)]
    public string? Stored { get; init; }

    /// <summary><c>bpe</c>: byte-level BPE, trained on the same text.</summary>
    public string? Train { get; init; }

    /// <summary>Tokens of the trained vocabulary, bytes and special tokens included.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>Special tokens, first the one that ends a document. Default: <c>&lt;|endoftext|&gt;</c> alone.</summary>
    public IReadOnlyList<string>? SpecialTokens { get; init; }
}

/// <summary>The shape of a model to train.</summary>
public sealed record ArchitectureSpec
{
    /// <summary>A layout that can be trained, such as <c>llama</c>; docs/training.md lists them, and so does the refusal of another word.</summary>
    public required string Type { get; init; }

    /// <summary>Transformer blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of the model.</summary>
    public required int Hidden { get; init; }

    /// <summary>Attention heads; divides <see cref="Hidden"/>, in the Llama layout into heads of an even width.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads of the Llama layout; divides <see cref="Heads"/>. Default: as many.</summary>
    public int? KvHeads { get; init; }

    /// <summary>
    /// Width of the feed-forward layer. Default: 8/3 of <see cref="Hidden"/>, rounded up to a multiple of 64, where it is gated
    /// (Llama); 4 times <see cref="Hidden"/> where it is not (GPT-2).
    /// </summary>
    public int? Intermediate { get; init; }

    /// <summary>Tokens of the model's context.</summary>
    public required int Context { get; init; }

    /// <summary>Base of the rotary embedding's wavelengths, Llama layout. Default: 10000.</summary>
    public double? RopeTheta { get; init; }
}

/// <summary>How long a training lasts; exactly one is given.</summary>
public sealed record TrainingBudget
{
    /// <summary>Optimizer steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Tokens seen; rounded up to whole steps.</summary>
    public long? Tokens { get; init; }

    /// <summary>Minutes of training; the result then depends on the machine's speed.</summary>
    public double? Minutes { get; init; }
}

/// <summary>Reads a <see cref="TokenizerChoice"/> that is a string or an object.</summary>
public sealed class TokenizerChoiceConverter : JsonConverter<TokenizerChoice>
{
    public override TokenizerChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return new TokenizerChoice { Stored = RequestText.Checked(ref reader) };
            case JsonTokenType.StartObject:
                var trained = ReadTrained(ref reader, options);
                return new TokenizerChoice { Train = trained.Train, Vocabulary = trained.Vocabulary, SpecialTokens = trained.SpecialTokens };
            default:
                throw new JsonException("expected a model's name, or an object such as {\"train\": \"bpe\", \"vocabulary\": 4096}.");
        }
    }

    private static Trained ReadTrained(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            var trained = JsonSerializer.Deserialize<Trained>(ref reader, options)!;
            for (var at = 0; at < trained.SpecialTokens?.Count; at++)
            {
                if (trained.SpecialTokens[at] is null)
                {
                    throw new JsonPartException($".special_tokens[{at}]", "must not be null.");
                }
            }

            return trained;
        }
        catch (JsonException fault) when (fault.Path?.StartsWith('$') == true)
        {
            throw new JsonPartException(fault.Path[1..], fault.Message, fault.InnerException);
        }
    }

    public override void Write(Utf8JsonWriter writer, TokenizerChoice value, JsonSerializerOptions options)
    {
        if (value.Stored is not null)
        {
            writer.WriteStringValue(value.Stored);
            return;
        }

        JsonSerializer.Serialize(writer, new Trained(value.Train, value.Vocabulary, value.SpecialTokens), options);
    }

    private sealed record Trained(string? Train, int? Vocabulary, IReadOnlyList<string>? SpecialTokens);
}
