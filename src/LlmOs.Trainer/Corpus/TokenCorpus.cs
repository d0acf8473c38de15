using LlmOs.Infrastructure;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Trainer.Corpus;

/// <summary>A text as ids: what is trained on, and what only the validation loss sees.</summary>
/// <remarks>
/// With at least <see cref="FewDocuments"/> documents every n-th one is kept for validation, evenly over the text;
/// with fewer, the end of the text. Each document is followed by the end token.
/// </remarks>
internal sealed class TokenCorpus : IDisposable
{
    private const int FewDocuments = 40;
    private const string TrainFile = "tokens";
    private const string ValidationFile = "validation";

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

    /// <summary>Opens what <see cref="Build"/> made.</summary>
    public static TokenCorpus Open(string folder, bool byDocument, long tail)
    {
        var train = TokenFile.Open(folder, TrainFile);
        return new TokenCorpus(train, byDocument ? TokenFile.Open(folder, ValidationFile) : null, tail);
    }

    /// <summary>Tokenises a text into files of <paramref name="folder"/>.</summary>
    /// <param name="chunks">The text.</param>
    /// <param name="documents">How many documents it has.</param>
    /// <param name="validation">Share kept for validation.</param>
    /// <returns>Whether whole documents were kept, and otherwise the tokens at the end that are.</returns>
    public static (bool ByDocument, long Tail) Build(
        string folder, IEnumerable<TextChunk> chunks, long documents, double validation, TextTokenizer tokenizer, CancellationToken cancel)
    {
        var byDocument = documents >= FewDocuments && validation > 0;
        using var train = TokenFile.Create(folder, TrainFile, tokenizer.VocabularySize);
        using var kept = TokenFile.Create(folder, ValidationFile, tokenizer.VocabularySize);
        var ids = new List<int>();
        long document = 0, trained = 0;
        var hasText = false;
        foreach (var chunk in chunks)
        {
            cancel.ThrowIfCancellationRequested();
            ids.Clear();
            tokenizer.Encode(chunk.Text, ids);
            hasText |= ids.Count > 0;
            var isKept = byDocument && (long)((document + 1) * validation) > (long)(document * validation);
            if (chunk.EndsDocument && hasText)
            {
                ids.Add(tokenizer.EndToken);
                document++;
                hasText = false;
            }

            if (ids.Count > 0 && ids.Max() is var largest && largest >= tokenizer.VocabularySize)
            {
                // Torch would look outside the embedding.
                throw LlmOsException.Invalid("tokenizer", $"The tokenizer gives the id {largest}; the model's ids end at {tokenizer.VocabularySize - 1}.");
            }

            (isKept ? kept : train).Append(ids);
            trained += isKept ? 0 : ids.Count;
        }

        return (byDocument, byDocument ? 0 : (long)(trained * validation));
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
