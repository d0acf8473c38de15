using LlmOs.Models.Generation;

namespace LlmOs.Models.Loading;

/// <summary>How an encoder-decoder generates where the request does not say.</summary>
/// <param name="StartToken">The decoder's first token.</param>
/// <param name="Defaults">Of <c>generation_config.json</c>.</param>
/// <param name="Tasks">Of <c>task_specific_params</c> in config.json, by task.</param>
internal sealed record Seq2SeqSetup(int StartToken, GenerateArguments Defaults, IReadOnlyDictionary<string, TaskDefaults> Tasks);

/// <param name="Prefix">Put before the text.</param>
internal sealed record TaskDefaults(GenerateArguments Settings, string Prefix);
