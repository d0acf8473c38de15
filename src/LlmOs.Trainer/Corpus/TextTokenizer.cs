using LlmOs.Tools.Tokenizers;

namespace LlmOs.Trainer.Corpus;

/// <summary>A tokenizer as training uses it: ids of running text, and the token that ends a document.</summary>
/// <param name="VocabularySize">Ids are below it.</param>
/// <param name="EndToken">Follows each document.</param>
/// <param name="EndSpelling">What separates documents in the text.</param>
/// <param name="Encode">Appends the ids of a stretch; special tokens spelt out in it are plain text.</param>
internal sealed record TextTokenizer(int VocabularySize, int EndToken, string EndSpelling, Action<ReadOnlyMemory<char>, List<int>> Encode)
{
    /// <summary>Learns one from a text and writes its <c>tokenizer.json</c>.</summary>
    public static TextTokenizer Train(string folder, IEnumerable<TextChunk> chunks, int vocabulary, IReadOnlyList<string> specialTokens, CancellationToken cancel)
    {
        var trainer = new BytePairTrainer();
        foreach (var chunk in chunks)
        {
            cancel.ThrowIfCancellationRequested();
            trainer.Add(chunk.Text.Span);
        }

        var pairs = trainer.Train(vocabulary, specialTokens, cancel);
        pairs.Write(Path.Combine(folder, "tokenizer.json"));
        return new TextTokenizer(pairs.VocabularySize, 0, specialTokens[0], (text, ids) => pairs.Encode(text.Span, ids));
    }
}
