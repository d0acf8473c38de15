using LlmOs.Engine;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Loading;

/// <summary>What a model's own files say of generation.</summary>
/// <param name="Rules">Forced and forbidden ids, which hold on every route.</param>
/// <param name="Defaults">All of it: what holds in a pipeline where the request does not say.</param>
/// <param name="Seq2Seq">Set for an encoder-decoder.</param>
internal sealed record GenerationSetup(TokenRules Rules, GenerateArguments Defaults, Seq2SeqSetup? Seq2Seq);

/// <summary>How an encoder-decoder generates where the request does not say.</summary>
/// <param name="StartToken">The decoder's first token.</param>
/// <param name="Defaults">Of <c>generation_config.json</c>.</param>
/// <param name="Tasks">Of <c>task_specific_params</c> in config.json, by task.</param>
internal sealed record Seq2SeqSetup(int StartToken, GenerateArguments Defaults, IReadOnlyDictionary<string, TaskDefaults> Tasks);

/// <param name="Prefix">Put before the text.</param>
internal sealed record TaskDefaults(GenerateArguments Settings, string Prefix);
