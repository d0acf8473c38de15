namespace LlmOs.Tools.Training;

/// <summary>A text as ids: what is trained on, and what only the validation loss sees.</summary>
/// <remarks>
/// With at least <see cref="FewDocuments"/> documents every n-th one is kept for validation, evenly over the text;
/// with fewer, the end of the text. Each document is followed by the end token.
/// </remarks>
internal sealed class TokenCorpus : IDisposable
{
    private const int FewDocuments = 40;

    private readonly TokenFile _train;
    private readonly TokenFile? _validation;
    private readonly long _tail;

    private TokenCorpus(TokenFile train, TokenFile? validation, long tail)
    {
        _train = train;
        _validation = validation;
        _tail = tail;
    }

    /// <summary>Tokens to train on.</summary>
    public long TrainTokens => _train.Count - _tail;

    public long ValidationTokens => _validation?.Count ?? _tail;

    /// <summary>Tokenises a text into files of <paramref name="folder"/> and opens them.</summary>
    /// <param name="chunks">The text.</param>
    /// <param name="documents">How many documents it has.</param>
    /// <param name="validation">Share kept for validation.</param>
    /// <param name="endToken">Follows each document.</param>
    /// <param name="encode">Appends the ids of a stretch of text.</param>
    public static TokenCorpus Build(
        string folder,
        IEnumerable<TextChunk> chunks,
        long documents,
        double validation,
        int endToken,
        Action<ReadOnlyMemory<char>, List<int>> encode,
        CancellationToken cancel)
    {
        var byDocument = documents >= FewDocuments && validation > 0;
        var trainPath = Path.Combine(folder, "tokens.bin");
        var validationPath = Path.Combine(folder, "validation.bin");
        using (var train = File.Create(trainPath))
        using (var kept = File.Create(validationPath))
        {
            var ids = new List<int>();
            long document = 0;
            var hasText = false;
            foreach (var chunk in chunks)
            {
                cancel.ThrowIfCancellationRequested();
                ids.Clear();
                encode(chunk.Text, ids);
                hasText |= ids.Count > 0;
                var isKept = byDocument && (long)((document + 1) * validation) > (long)(document * validation);
                if (chunk.EndsDocument && hasText)
                {
                    ids.Add(endToken);
                    document++;
                    hasText = false;
                }

                TokenFile.Append(isKept ? kept : train, ids);
            }
        }

        var tokens = TokenFile.Open(trainPath);
        return byDocument
            ? new TokenCorpus(tokens, TokenFile.Open(validationPath), 0)
            : new TokenCorpus(tokens, null, (long)(tokens.Count * validation));
    }

    public void ReadTrain(long start, Span<long> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, TrainTokens, nameof(start));
        _train.Read(start, destination);
    }

    public void ReadValidation(long start, Span<long> destination)
    {
        if (_validation is null)
        {
            _train.Read(TrainTokens + start, destination);
        }
        else
        {
            _validation.Read(start, destination);
        }
    }

    public void Dispose()
    {
        _train.Dispose();
        _validation?.Dispose();
    }
}
