using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Tools.Training;

/// <summary>
/// What the trained weights, as stored, answer to 32 prompts: <c>parity-prompts.json</c> holds the prompts' ids, <c>parity.safetensors</c>
/// the logits of all their positions, f32 [T, V], under <c>logits.0</c> and so on. The trainer writes both; the server compares its own with them.
/// </summary>
internal static class ParityPrompts
{
    public const int Count = 32;
    public const string IdsFile = "parity-prompts.json";
    public const string LogitsFile = "parity.safetensors";

    /// <summary>The prompts of a result folder.</summary>
    public static IReadOnlyList<int[]> ReadIds(string folder) => Read(folder).Prompts;

    /// <summary>What the trainer makes of some of the prompts; the engine must make the same.</summary>
    public static IReadOnlyList<Continuation> ReadContinuations(string folder) => Read(folder).Continued;

    /// <summary>The tensor of a prompt's logits.</summary>
    public static string LogitsName(int prompt) => FormattableString.Invariant($"logits.{prompt}");

    private static IdsRecord Read(string folder) =>
        JsonSerializer.Deserialize<IdsRecord>(File.ReadAllBytes(Path.Combine(folder, IdsFile)), LlmOsJson.Options)
            ?? throw new InvalidDataException($"{IdsFile} holds null.");

    private sealed record IdsRecord(IReadOnlyList<int[]> Prompts, IReadOnlyList<Continuation> Continued);
}

/// <summary>A prompt and the tokens that the trained model adds when it always takes the likeliest.</summary>
internal sealed record Continuation(IReadOnlyList<int> Prompt, IReadOnlyList<int> Tokens, int EndToken);
