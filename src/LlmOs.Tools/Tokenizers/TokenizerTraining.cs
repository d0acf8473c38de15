using System.Text.Json.Nodes;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Tokenizers;

/// <summary>Learns a tokenizer of any kind from a text and writes its <c>tokenizer.json</c>.</summary>
internal static class TokenizerTraining
{
    /// <param name="path">Where the file goes.</param>
    /// <param name="report">Told what comes next.</param>
    /// <exception cref="Infrastructure.LlmOsException">The vocabulary has no room for the text's characters.</exception>
    public static void Run(TokenizerPlan plan, IEnumerable<TextChunk> text, string path, Action<JobMessage> report, CancellationToken cancel)
    {
        report(TokenizerCodes.CountingWords);
        switch (plan.Kind)
        {
            case TokenizerPlan.BytePair:
                var trainer = new BytePairTrainer();
                foreach (var chunk in text)
                {
                    cancel.ThrowIfCancellationRequested();
                    trainer.Add(chunk.Text.Span);
                }

                report(TokenizerCodes.MergingPairs);
                trainer.Train(plan.Vocabulary, plan.SpecialTokens, cancel).Write(path);
                break;

            case TokenizerPlan.WordPiece:
                var words = Count(text, TokenizerFile.WordPieceSurroundings(plan.Lowercase), cancel);
                report(TokenizerCodes.MergingPairs);
                TokenizerFile.WriteWordPiece(path, WordPieceTrainer.Train(words, new Alphabet(words, plan.Coverage), plan.SpecialTokens, plan.Vocabulary, cancel), plan);
                break;

            default:
                var pieces = Count(text, TokenizerFile.UnigramSurroundings(), cancel);
                report(TokenizerCodes.WeighingPieces);
                var learnt = UnigramTrainer.Train(pieces, new Alphabet(pieces, plan.Coverage), plan.Vocabulary - plan.SpecialTokens.Count, cancel);
                TokenizerFile.WriteUnigram(path, [(plan.Unknown!, 0), .. learnt], [.. plan.SpecialTokens.Where(t => t != plan.Unknown)]);
                break;
        }
    }

    /// <summary>The words that a model within these surroundings would see.</summary>
    private static IReadOnlyList<(string Word, long Count)> Count(IEnumerable<TextChunk> text, JsonObject surroundings, CancellationToken cancel)
    {
        var splitter = TextSplitter.Parse(System.Text.Encoding.UTF8.GetBytes(surroundings.ToJsonString()));
        var words = new WordCounts();
        foreach (var chunk in text)
        {
            cancel.ThrowIfCancellationRequested();
            splitter.Split(chunk.Text.ToString(), words.Add);
        }

        return words.Ranked();
    }
}
