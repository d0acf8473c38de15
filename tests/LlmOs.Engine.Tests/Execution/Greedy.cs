namespace LlmOs.Engine.Tests.Execution;

/// <summary>Short ways to submit and read in tests.</summary>
internal static class Greedy
{
    public static GenerationRequest Request(int[] prompt, int maxTokens, params int[] endTokens) => new()
    {
        PromptTokens = prompt,
        MaxTokens = maxTokens,
        EndTokens = endTokens,
        Sampling = new SamplingParameters { Temperature = 0 },
    };

    public static async Task<int[]> TokensAsync(this EngineSequence sequence) =>
        [.. (await sequence.PiecesAsync()).Select(piece => piece.Token)];

    public static async Task<List<GenerationPiece>> PiecesAsync(this EngineSequence sequence)
    {
        var pieces = new List<GenerationPiece>();
        await foreach (var piece in sequence.Pieces(TestContext.Current.CancellationToken))
        {
            pieces.Add(piece);
        }

        return pieces;
    }
}
