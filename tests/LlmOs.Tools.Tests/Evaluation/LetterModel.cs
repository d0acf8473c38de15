using System.Text;
using LlmOs.Models.Generation;

namespace LlmOs.Tools.Tests.Evaluation;

/// <summary>A model whose tokens are letters, and which finds each one the less likely the further it stands from the one before.</summary>
internal sealed class LetterModel : IScoringRun
{
    /// <summary>Runs so far: ids and the first that was scored.</summary>
    public List<(string Text, int From)> Runs { get; } = [];

    /// <summary>Fails at this run, counted from 0.</summary>
    public int FailAt { get; init; } = -1;

    public string Reference => "letters:1";

    public int ContextLength { get; init; } = 16;

    public int? BeginToken { get; init; } = '^';

    public static double Logprob(int before, int token) => -Math.Abs(before - token) / 8.0;

    public int[] Encode(string text) => [.. text.Select(c => (int)c)];

    public long BytesOf(IEnumerable<int> ids) => Encoding.UTF8.GetByteCount(Text([.. ids]));

    public Task<TokenScore[]> ScoreAsync(int[] ids, int from, CancellationToken cancel)
    {
        if (Runs.Count == FailAt)
        {
            throw new IOException("stopped");
        }

        Runs.Add((Text(ids), from));
        return Task.FromResult(Enumerable.Range(from, ids.Length - from).Select(i => new TokenScore(Logprob(ids[i - 1], ids[i]), ids[i - 1] == ids[i])).ToArray());
    }

    public Task<GenerationUsage> EndAsync() => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Text(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append((char)id);
        }

        return text.ToString();
    }
}
