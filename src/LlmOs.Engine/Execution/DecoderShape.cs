namespace LlmOs.Engine.Execution;

/// <summary>What the engine must know of a decoder graph to hold its KV cache and read its logits.</summary>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="KvHeads">Key/value heads a layer.</param>
/// <param name="HeadDim">Width of one head.</param>
/// <param name="Vocabulary">Width of the logits.</param>
/// <param name="ContextLength">Maximum tokens a sequence may hold, prompt and reply together.</param>
public sealed record DecoderShape(int Layers, int KvHeads, int HeadDim, int Vocabulary, int ContextLength)
{
    /// <summary>What an encoder-decoder's decoder looks at besides its own tokens; null for a decoder.</summary>
    public CrossShape? Cross { get; init; }

    /// <summary>
    /// Whether the runtime gives a row that is alone in a decode step other bits than a row with company. The runner then never
    /// runs one alone.
    /// </summary>
    public bool RowsNeedCompany { get; init; }

    /// <summary>Bytes of KV cache that one token takes in f32, over all layers.</summary>
    public long KvBytesPerToken => 2L * Layers * KvHeads * HeadDim * sizeof(float);

    /// <summary>Bytes that the keys and values of one slot's source take.</summary>
    public long SourceBytesPerSlot => Cross is null ? 0 : 2L * Layers * Cross.Heads * Cross.HeadDim * Cross.MaxSource * sizeof(float);
}

/// <summary>Keys and values of the source that each decoder layer looks at.</summary>
/// <param name="Heads">Heads of a layer.</param>
/// <param name="HeadDim">Width of one head.</param>
/// <param name="MaxSource">Maximum tokens of a source.</param>
/// <param name="SourceVocabulary">Ids of a source go from 0 to one less.</param>
/// <param name="PadToken">What a source is filled up with.</param>
public sealed record CrossShape(int Heads, int HeadDim, int MaxSource, int SourceVocabulary, int PadToken);

/// <summary>Names of a decoder graph's inputs and outputs; the graph writer and the runner share them.</summary>
/// <remarks>
/// Letters: B rows of the batch, S tokens of each row in this run, N rows of logits asked for, M capacity of a cache slot.
/// Caches are read and written in place: <c>present</c> is bound to the same memory as <c>past</c>.
/// </remarks>
public static class DecoderGraph
{
    /// <summary>[B, S] i64.</summary>
    public const string InputIds = "input_ids";

    /// <summary>[B] i32: tokens of each row after this run, minus one.</summary>
    public const string SeqLensK = "seqlens_k";

    /// <summary>[1] i32: the longest row after this run.</summary>
    public const string TotalSequenceLength = "total_sequence_length";

    /// <summary>[N] i64: flattened positions (row * S + offset) whose logits are wanted; N may be 0.</summary>
    public const string LogitRows = "logit_rows";

    /// <summary>[N, vocabulary] f32.</summary>
    public const string Logits = "logits";

    /// <summary>[B] i32: tokens of each row's source; for encoder-decoders.</summary>
    public const string SourceLengths = "source_lengths";

    /// <summary>[B, heads, most source tokens, head dim] f32: an output of the encoder's graph, an input of the decoder's.</summary>
    public static string CrossKey(int layer) => $"cross_key.{layer}";

    /// <summary>[B, heads, most source tokens, head dim] f32.</summary>
    public static string CrossValue(int layer) => $"cross_value.{layer}";

    /// <summary>The encoder's graph lies beside the decoder's under this name.</summary>
    public const string EncoderFile = "encoder.onnx";

    public static string EncoderBeside(string onnxPath) => Path.Combine(Path.GetDirectoryName(onnxPath)!, EncoderFile);

    /// <summary>[B, S, hidden] f32: the state before layer i, and after the last norm; in graphs written for comparison only.</summary>
    public static string HiddenState(int index) => $"hidden_state.{index}";

    /// <summary>[B, kv heads, M, head dim] f32.</summary>
    public static string PastKey(int layer) => $"past_key.{layer}";

    /// <summary>[B, kv heads, M, head dim] f32.</summary>
    public static string PastValue(int layer) => $"past_value.{layer}";

    /// <summary>[B, kv heads, M, head dim] f32.</summary>
    public static string PresentKey(int layer) => $"present_key.{layer}";

    /// <summary>[B, kv heads, M, head dim] f32.</summary>
    public static string PresentValue(int layer) => $"present_value.{layer}";
}
