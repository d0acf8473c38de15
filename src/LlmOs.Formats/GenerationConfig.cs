namespace LlmOs.Formats;

/// <summary>
/// What <c>generation_config.json</c> says beyond <c>config.json</c>. Only ids are taken: beams, lengths and sampling
/// come from each request.
/// </summary>
public sealed record GenerationConfig(int? BeginToken, IReadOnlyList<int> EndTokens, int? PadToken)
{
    public static GenerationConfig Read(ConfigJson json) => new(
        json.Ids("bos_token_id") is [var begin, ..] ? begin : null,
        json.Ids("eos_token_id"),
        json.Whole("pad_token_id", -1, int.MaxValue) is { } pad and >= 0 ? pad : null);

    /// <summary>The ids that end a sequence: those of this file, or the model's own when it names none.</summary>
    public static IReadOnlyList<int> EndTokensOf(ModelConfig model, GenerationConfig? generation) =>
        generation is { EndTokens.Count: > 0 } ? generation.EndTokens : model.EndTokens;
}
