using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Trainer.Corpus;

/// <summary>A tokenizer as training uses it: ids of running text, and the token that ends a document.</summary>
/// <param name="VocabularySize">Ids are below it.</param>
/// <param name="EndToken">Follows each document.</param>
/// <param name="EndSpelling">What separates documents in the text.</param>
internal sealed record TextTokenizer(ITokenizer Tokenizer, int VocabularySize, int EndToken, string EndSpelling)
{
    /// <summary>Learns one from a text, writes its <c>tokenizer.json</c>, and reads that as whoever serves the model will.</summary>
    public static TextTokenizer Train(string folder, IEnumerable<TextChunk> chunks, int vocabulary, IReadOnlyList<string> specialTokens, CancellationToken cancel)
    {
        var trainer = new BytePairTrainer();
        foreach (var chunk in chunks)
        {
            cancel.ThrowIfCancellationRequested();
            trainer.Add(chunk.Text.Span);
        }

        var pairs = trainer.Train(vocabulary, specialTokens, cancel);
        var path = Path.Combine(folder, "tokenizer.json");
        pairs.Write(path);
        return new TextTokenizer(TokenizerJson.Load(path), pairs.VocabularySize, 0, specialTokens[0]);
    }

    /// <summary>Appends the ids of a stretch; special tokens spelt out in it are plain text.</summary>
    public void Encode(ReadOnlyMemory<char> text, List<int> ids) => ids.AddRange(Tokenizer.Encode(text.ToString(), addSpecialTokens: false, parseSpecialTokens: false));
}
