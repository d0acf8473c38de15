using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Tools.Training;

/// <summary>
/// What the trained weights, as stored, answer to 32 prompts: <c>parity-prompts.json</c> holds the prompts' ids, <c>parity.safetensors</c>
/// the logits of all their positions, f32 [T, V], under <c>logits.0</c> and so on. The server compares its own with them.
/// </summary>
internal static class ParityPrompts
{
    public const int Count = 32;
    public const string IdsFile = "parity-prompts.json";
    public const string LogitsFile = "parity.safetensors";

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
        for (var i = 0; i < Count; i++)
        {
            var length = i < Count - 1 ? 1 + i : Math.Max(Short, LongLogits / plan.Sizes.Vocabulary);
            var prompt = new long[Math.Min(length, Math.Min(Math.Min(plan.Sizes.Context, LongestPrompt), corpus.TrainTokens))];
            corpus.ReadTrain((corpus.TrainTokens - prompt.Length) * i / Count, prompt);
            prompts.Add(prompt);
        }

        return prompts;
    }

    /// <summary>The prompts of a result folder.</summary>
    public static IReadOnlyList<int[]> ReadIds(string folder) => Read(folder).Prompts;

    private static IdsRecord Read(string folder) =>
        JsonSerializer.Deserialize<IdsRecord>(File.ReadAllBytes(Path.Combine(folder, IdsFile)), LlmOsJson.Options)
            ?? throw new InvalidDataException($"{IdsFile} holds null.");

    /// <param name="module">In f32, with the stored weights.</param>
    /// <param name="endToken">Ends a continuation.</param>
    public static void Write(string folder, Module<Tensor, Tensor> module, TrainingPlan plan, IReadOnlyList<long[]> prompts, int endToken)
    {
        HuggingFaceFolder.WriteJson(folder, IdsFile, json =>
        {
            json.WritePropertyName("prompts");
            JsonSerializer.Serialize(json, prompts, LlmOsJson.Options);
            json.WritePropertyName("continued");
            JsonSerializer.Serialize(json, Continue(module, plan, prompts, endToken), LlmOsJson.Options);
        });

        var shapes = prompts.Select((p, i) => (LogitsName(i), new long[] { p.Length, plan.Sizes.Vocabulary })).ToList();
        HuggingFaceFolder.WriteTensors(Path.Combine(folder, LogitsFile), TensorType.F32, shapes, writer =>
        {
            using var noGrad = no_grad();
            for (var i = 0; i < prompts.Count; i++)
            {
                using var scope = NewDisposeScope();
                var logits = module.forward(tensor(prompts[i], [1, prompts[i].Length])).contiguous(); // [1, T, V]
                writer.Write(LogitsName(i), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(logits.bytes));
            }
        });
    }

    /// <summary>What the trainer makes of some of the prompts; the engine must make the same.</summary>
    public static IReadOnlyList<Continuation> ReadContinuations(string folder) => Read(folder).Continued;

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

    /// <summary>The tensor of a prompt's logits.</summary>
    public static string LogitsName(int prompt) => FormattableString.Invariant($"logits.{prompt}");

    private sealed record IdsRecord(IReadOnlyList<int[]> Prompts, IReadOnlyList<Continuation> Continued);
}

/// <summary>A prompt and the tokens that the trained model adds when it always takes the likeliest.</summary>
internal sealed record Continuation(IReadOnlyList<int> Prompt, IReadOnlyList<int> Tokens, int EndToken);
