using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Corpus;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>A vocabulary whose ids do not fit into 16 bits.</summary>
public sealed class WideVocabularyTests : IDisposable
{
    private const int Vocabulary = 70_000;

    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_of_70000_tokens_learns_is_stopped_goes_on_and_is_served()
    {
        await File.WriteAllTextAsync(_folder.Text, ManyWords(), Cancel);
        var job = _folder.JobOf(TrainerFolder.Request(steps: 24) with
        {
            Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = Vocabulary },
            Architecture = new ArchitectureSpec { Type = "llama", Layers = 1, Hidden = 16, Heads = 2, Context = 16 },
            BatchTokens = 256,
            LearningRate = 0.02,
            Warmup = 0,
            ValidateEvery = 24,
            Samples = [],
        });

        var before = await TrainerFolder.PauseAsync(job, happened => happened is TrainerProgress { Step: >= 4 });
        var largest = LargestId();
        var (exit, after) = await TrainerFolder.GoOnAsync(job with { Turn = 2 });

        Assert.Equal(TrainerExit.Done, exit);
        Assert.InRange(largest, ushort.MaxValue + 1, Vocabulary - 1);
        Assert.True(after.OfType<TrainerProgress>().First().Step > before.OfType<TrainerProgress>().First().Step, "it began again");
        Assert.InRange(before.OfType<TrainerProgress>().First().Loss!.Value, 11, 11.4); // ln 70000 = 11.16
        Assert.InRange(after.OfType<TrainerCompleted>().Single().Loss, 0.1, 8);
        Assert.Equal(Vocabulary, JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "config.json"), Cancel)).RootElement.GetProperty("vocab_size").GetInt32());

        var (parity, continued) = await _folder.ParityAsync(_folder.Result, Cancel);
        Assert.InRange(parity.MaxAbsDiff, 0, ParityGate.Limit);
        Assert.Equal(continued.Texts, continued.Equal);
    }

    private long LargestId()
    {
        using var file = TokenFile.Open(Path.Combine(_folder.Work, "text"), "tokens");
        var ids = new long[file.Count];
        file.Read(0, ids);
        return ids.Max();
    }

    /// <summary>Each of very many words stands twice, in a sentence that is always the same; each becomes a token of its own.</summary>
    private static string ManyWords()
    {
        var random = new Random(3);
        var words = new HashSet<string>();
        while (words.Count < Vocabulary)
        {
            words.Add(string.Create(5, random, (letters, chance) =>
            {
                for (var i = 0; i < letters.Length; i++)
                {
                    letters[i] = (char)('a' + chance.Next(26));
                }
            }));
        }

        var text = new StringBuilder();
        foreach (var word in words.Concat(words))
        {
            text.Append("the ").Append(word).Append(" ran on and on.\n");
        }

        return text.ToString();
    }
}
