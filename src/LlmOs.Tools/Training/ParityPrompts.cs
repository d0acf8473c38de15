using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Formats;
using LlmOs.Models.Zoo;
using static TorchSharp.torch;

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

    /// <summary>Logits of the long prompt: it is cut to this many.</summary>
    private const int LongLogits = 4 << 20;

    /// <summary>Prompts from the text the model was trained on: lengths 1 to 32, the last one as long as the context and the file allow.</summary>
    public static IReadOnlyList<long[]> Choose(TokenCorpus corpus, LlamaSizes sizes)
    {
        var prompts = new List<long[]>();
        for (var i = 0; i < Count; i++)
        {
            var length = i < Count - 1 ? 1 + i : Math.Max(Short, LongLogits / sizes.Vocabulary);
            var prompt = new long[Math.Min(length, Math.Min(sizes.Context, corpus.TrainTokens))];
            corpus.ReadTrain((corpus.TrainTokens - prompt.Length) * i / Count, prompt);
            prompts.Add(prompt);
        }

        return prompts;
    }

    /// <summary>The prompts of a result folder.</summary>
    public static IReadOnlyList<int[]> ReadIds(string folder) =>
        JsonSerializer.Deserialize<IdsRecord>(File.ReadAllBytes(Path.Combine(folder, IdsFile)), LlmOsJson.Options)?.Prompts
            ?? throw new InvalidDataException($"{IdsFile} holds null.");

    /// <param name="module">In f32, with the stored weights.</param>
    public static void Write(string folder, LlamaModule module, IReadOnlyList<long[]> prompts)
    {
        HuggingFaceFolder.WriteJson(folder, IdsFile, json =>
        {
            json.WritePropertyName("prompts");
            JsonSerializer.Serialize(json, prompts, LlmOsJson.Options);
        });

        var shapes = prompts.Select((p, i) => (LogitsName(i), new long[] { p.Length, module.Sizes.Vocabulary })).ToList();
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

    /// <summary>The tensor of a prompt's logits.</summary>
    public static string LogitsName(int prompt) => FormattableString.Invariant($"logits.{prompt}");

    private sealed record IdsRecord(IReadOnlyList<int[]> Prompts);
}
