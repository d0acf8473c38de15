using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>The arguments of transformers' <c>generate</c>, by its names. What is null takes the model's own <c>generation_config.json</c>.</summary>
public record PipelineGenerationArguments
{
    /// <summary>Most new tokens, 1 to 1,000,000; default: the model's own, else 256. Cut to the room that the prompt leaves.</summary>
    public long? MaxNewTokens { get; init; }

    /// <summary>Most tokens, the prompt included; <see cref="MaxNewTokens"/> wins. Text classification: most tokens of a text, 8 or more.</summary>
    public long? MaxLength { get; init; }

    /// <summary>No end token before so many new tokens.</summary>
    public int? MinNewTokens { get; init; }

    /// <summary>Fewest tokens, the prompt or the decoder's start included.</summary>
    public int? MinLength { get; init; }

    /// <summary>Draw tokens at random instead of taking the likeliest; default: the model's own, else false.</summary>
    public bool? DoSample { get; init; }

    /// <summary>Above 0, up to 2; only when sampling.</summary>
    public double? Temperature { get; init; }

    /// <summary>Generation: keep the k likeliest, only when sampling. Other tasks: how many answers; null asks a classifier for all.</summary>
    [JsonConverter(typeof(TopKConverter))]
    public int? TopK { get; init; }

    /// <summary>Above 0, up to 1; only when sampling.</summary>
    public double? TopP { get; init; }

    /// <summary>0 to 1; only when sampling.</summary>
    public double? MinP { get; init; }

    /// <summary>Above 0, up to 1, where 1 is none; only when sampling.</summary>
    public double? TypicalP { get; init; }

    /// <summary>Keep tokens of at least this probability; only when sampling.</summary>
    public double? EpsilonCutoff { get; init; }

    /// <summary>The same, and of less where the distribution is flat; only when sampling.</summary>
    public double? EtaCutoff { get; init; }

    /// <summary>Above 0; 1 is none.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Makes a run repeatable.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts that end the generation; the token that completes one stays.</summary>
    public OpenAi.StopInput? StopStrings { get; init; }

    /// <summary>How many texts for each input. Default 1.</summary>
    public int? NumReturnSequences { get; init; }

    /// <summary>Beam search with so many beams; 1 is none.</summary>
    public int? NumBeams { get; init; }

    /// <summary>Beams: the power of a text's length by which its log-probability is divided. Default 1.</summary>
    public double? LengthPenalty { get; init; }

    /// <summary>Beams: true, false or <c>"never"</c>.</summary>
    public JsonElement? EarlyStopping { get; init; }

    /// <summary>Beams: scores become log-probabilities again once the rules have acted.</summary>
    public bool? RenormalizeLogits { get; init; }

    /// <summary>No group of so many tokens twice; 0 is no rule.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>Encoder-decoders: no group of so many tokens of the source; 0 is no rule.</summary>
    public int? EncoderNoRepeatNgramSize { get; init; }

    /// <summary>Lists of token ids that do not come.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? BadWordsIds { get; init; }

    /// <summary>Pairs of a list of token ids and what is added to its last one's score.</summary>
    public JsonElement? SequenceBias { get; init; }

    /// <summary>Token ids that never come.</summary>
    public IReadOnlyList<int>? SuppressTokens { get; init; }

    /// <summary>Token ids that do not come first.</summary>
    public IReadOnlyList<int>? BeginSuppressTokens { get; init; }

    /// <summary>The first token, for encoder-decoders.</summary>
    public int? ForcedBosTokenId { get; init; }

    /// <summary>The last token that the limit of length leaves room for.</summary>
    public int? ForcedEosTokenId { get; init; }

    /// <summary>The decoder's start, for encoder-decoders.</summary>
    public int? DecoderStartTokenId { get; init; }

    /// <summary>Token ids that end a text: one or a list.</summary>
    public JsonElement? EosTokenId { get; init; }

    /// <summary>Arguments without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>Tells a stated null, which means all, from nothing stated.</summary>
internal sealed class TopKConverter : JsonConverter<int?>
{
    public override bool HandleNull => true;

    public override int? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Null => PipelineParameters.All,
        JsonTokenType.Number when reader.TryGetInt32(out var k) && k >= 0 => k,
        _ => throw new JsonException("must be a whole number of 0 or more, or null."),
    };

    public override void Write(Utf8JsonWriter writer, int? value, JsonSerializerOptions options)
    {
        if (value is null or PipelineParameters.All)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteNumberValue(value.Value);
        }
    }
}
