using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Corpus;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Run;

/// <summary>Goes on with texts while the model is being trained, so that a person sees what it has learnt.</summary>
/// <remarks>What is drawn depends on seed and step alone, and takes nothing from the training's own chance.</remarks>
internal sealed class LiveSamples
{
    private const int MaxTokens = 48;
    private const double Temperature = 0.8;

    private readonly Module<Tensor, Tensor> _module;
    private readonly ITokenizer _tokenizer;
    private readonly List<(string Prompt, int[] Ids)> _prompts;
    private readonly TrainingPlan _plan;
    private readonly int _endToken;

    public LiveSamples(Module<Tensor, Tensor> module, PreparedText text, TrainingPlan plan)
    {
        (_module, _plan, _endToken) = (module, plan, text.EndToken);
        _tokenizer = TokenizerJson.Load(Path.Combine(text.Folder, "tokenizer.json"));
        _prompts = plan.Samples.Select(p => (p, Begin(p, text.EndToken))).ToList();
    }

    /// <summary>One text for each prompt.</summary>
    public IEnumerable<TrainerSample> Draw(long step)
    {
        foreach (var (prompt, ids) in _prompts)
        {
            var random = new Random(HashCode(_plan.Seed, step));
            var continuation = Continue(_module, ids, Math.Min(MaxTokens, _plan.Window - ids.Length), _plan.Window, _endToken, logits => Choose(logits, random));
            yield return new TrainerSample(step, prompt, _tokenizer.Decode(continuation.ToArray(), skipSpecialTokens: true), ids.Length, continuation.Count);
        }
    }

    /// <summary>Appends tokens one by one, running the whole window for each.</summary>
    /// <param name="window">Tokens that the module sees at once; what is not there yet is filled up behind, where nothing looks.</param>
    /// <param name="choose">The next id from the logits.</param>
    /// <returns>The new ids; an end token closes them.</returns>
    public static List<int> Continue(Module<Tensor, Tensor> module, IReadOnlyList<int> prompt, int max, int window, int endToken, Func<ReadOnlySpan<float>, int> choose)
    {
        using var noGrad = no_grad();
        var ids = new long[window];
        for (var i = 0; i < prompt.Count; i++)
        {
            ids[i] = prompt[i];
        }

        var made = new List<int>();
        for (var length = prompt.Count; made.Count < max && length < window; length++)
        {
            using var scope = NewDisposeScope();
            var row = module.forward(tensor(ids, [1, window])).narrow(1, length - 1, 1).to_type(ScalarType.Float32).reshape(-1).contiguous(); // [V]
            var next = choose(row.data<float>().ToArray());
            made.Add(next);
            ids[length] = next;
            if (next == endToken)
            {
                break;
            }
        }

        return made;
    }

    /// <summary>The likeliest id; of equals the lowest.</summary>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var id = 1; id < logits.Length; id++)
        {
            best = logits[id] > logits[best] ? id : best;
        }

        return best;
    }

    private int[] Begin(string prompt, int endToken)
    {
        var ids = prompt.Length == 0 ? [] : _tokenizer.Encode(prompt, addSpecialTokens: false, parseSpecialTokens: false);
        return ids.Length == 0 ? [endToken] : ids.Length < _plan.Window ? ids : ids[..(_plan.Window - 1)];
    }

    private static int Choose(ReadOnlySpan<float> logits, Random random)
    {
        var highest = logits[Likeliest(logits)];
        var weights = new double[logits.Length];
        var sum = 0.0;
        for (var id = 0; id < logits.Length; id++)
        {
            weights[id] = Math.Exp((logits[id] - highest) / Temperature);
            sum += weights[id];
        }

        var at = random.NextDouble() * sum;
        for (var id = 0; id < weights.Length; id++)
        {
            at -= weights[id];
            if (at < 0)
            {
                return id;
            }
        }

        return Likeliest(logits);
    }

    private static int HashCode(long seed, long step) => unchecked((int)((seed * 1_000_003) ^ (step * 7_919)));
}
