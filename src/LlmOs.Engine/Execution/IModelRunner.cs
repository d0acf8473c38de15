namespace LlmOs.Engine.Execution;

/// <summary>Which rows of a prompt chunk need logits.</summary>
internal enum LogitRows
{
    None,
    Last,
    All,
}

/// <summary>The seam between the loop and what computes: one chunk of a prompt, or one token of each running sequence.</summary>
/// <remarks>
/// A runner reads and writes keys and values in the slot cache it was made for. Its results for a row depend on nothing
/// but that row's tokens and how they were cut into runs. For one thread at a time.
/// </remarks>
internal interface IModelRunner : IDisposable
{
    /// <summary>Runs an encoder over a source and keeps what the decoder looks at in the slot. For encoder-decoders only.</summary>
    void RunSource(int slot, ReadOnlySpan<int> source) => throw new NotSupportedException("The model has no encoder.");

    /// <summary>Prefill: runs tokens [past, past + ids.Length) of the sequence in a slot.</summary>
    void RunPrefill(int slot, int past, ReadOnlySpan<int> ids, LogitRows rows);

    /// <summary>Runs one token of each sequence in slots 0 to ids.Length - 1; each row gets logits.</summary>
    /// <param name="past">Tokens already in each slot.</param>
    void RunDecode(ReadOnlySpan<int> ids, ReadOnlySpan<int> past);

    /// <summary>[vocabulary] logits of one row of the last run, valid until the next.</summary>
    ReadOnlySpan<float> Logits(int row);
}
