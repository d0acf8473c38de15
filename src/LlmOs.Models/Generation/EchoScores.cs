using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>The scores of a request's own prompts: each prompt once, however many texts are made of it.</summary>
internal sealed class EchoScores
{
    private readonly Task<IReadOnlyList<ScoredToken>>[] _scores;

    private EchoScores(Task<IReadOnlyList<ScoredToken>>[] scores) => _scores = scores;

    /// <param name="together">Prompts that are scored at a time.</param>
    public static EchoScores Start(LoadedModel model, IReadOnlyList<ScoringRequest> prompts, int together, EnginePlace place, RunMeter meter) => new(Bounded.Start(
        prompts.Count,
        together,
        index => meter.Add(index, model.Engine.SubmitScoring(prompts[index], place), scores: true).Result,
        meter.Ending));

    public Task<IReadOnlyList<ScoredToken>> OfAsync(int prompt) => _scores[prompt];

    public Task AllAsync() => Task.WhenAll(_scores);
}
