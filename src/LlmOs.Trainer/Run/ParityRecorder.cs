using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Corpus;
using LlmOs.Trainer.Files;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Run;

/// <summary>Writes what the server compares its graph with: see <see cref="ParityPrompts"/>.</summary>
internal static class ParityRecorder
{
    /// <summary>Prompts longer than this are only taken once, for the positions far out.</summary>
    private const int Short = 32;

    /// <summary>Tokens; a model that was trained on may have a far longer context than anything here looks at.</summary>
    private const int LongestPrompt = 4096;

    /// <summary>Prompts that the trainer goes on with, and the tokens it makes of each: always the likeliest.</summary>
    private const int Continued = 4;
    private const int ContinuedTokens = 32;

    /// <summary>Logits of the long prompt: it is cut to this many.</summary>
    private const int LongLogits = 4 << 20;

    /// <summary>Prompts from the text the model was trained on: lengths 1 to 32, the last one as long as the context and the file allow.</summary>
    public static IReadOnlyList<long[]> Choose(TokenCorpus corpus, TrainingPlan plan)
    {
        var prompts = new List<long[]>();
        for (var i = 0; i < ParityPrompts.Count; i++)
        {
            var length = i < ParityPrompts.Count - 1 ? 1 + i : Math.Max(Short, LongLogits / plan.Sizes.Vocabulary);
            var prompt = new long[Math.Min(length, Math.Min(Math.Min(plan.Sizes.Context, LongestPrompt), corpus.TrainTokens))];
            corpus.ReadTrain((corpus.TrainTokens - prompt.Length) * i / ParityPrompts.Count, prompt);
            prompts.Add(prompt);
        }

        return prompts;
    }

    /// <param name="module">In f32, with the stored weights.</param>
    /// <param name="endToken">Ends a continuation.</param>
    public static void Write(string folder, Module<Tensor, Tensor> module, TrainingPlan plan, IReadOnlyList<long[]> prompts, int endToken)
    {
        HuggingFaceFolder.WriteJson(folder, ParityPrompts.IdsFile, json =>
        {
            json.WritePropertyName("prompts");
            JsonSerializer.Serialize(json, prompts, LlmOsJson.Options);
            json.WritePropertyName("continued");
            JsonSerializer.Serialize(json, Continue(module, plan, prompts, endToken), LlmOsJson.Options);
        });

        var shapes = prompts.Select((p, i) => (ParityPrompts.LogitsName(i), new long[] { p.Length, plan.Sizes.Vocabulary })).ToList();
        HuggingFaceFolder.WriteTensors(Path.Combine(folder, ParityPrompts.LogitsFile), TensorType.F32, shapes, writer =>
        {
            using var noGrad = no_grad();
            for (var i = 0; i < prompts.Count; i++)
            {
                using var scope = NewDisposeScope();
                var logits = module.forward(tensor(prompts[i], [1, prompts[i].Length])).contiguous(); // [1, T, V]
                writer.Write(ParityPrompts.LogitsName(i), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(logits.bytes));
            }
        });
    }

    private static List<Continuation> Continue(Module<Tensor, Tensor> module, TrainingPlan plan, IReadOnlyList<long[]> prompts, int endToken)
    {
        // Of the short ones the longest: they begin in the middle of the text and leave room.
        var window = Math.Min(plan.Sizes.Context, Short + ContinuedTokens);
        return [.. prompts.Where(p => p.Length < window).OrderByDescending(p => p.Length).Take(Continued).Select(prompt =>
        {
            int[] ids = [.. prompt.Select(id => (int)id)];
            return new Continuation(ids, LiveSamples.Continue(module, ids, Math.Min(ContinuedTokens, window - ids.Length), window, endToken, LiveSamples.Likeliest), endToken);
        })];
    }
}
