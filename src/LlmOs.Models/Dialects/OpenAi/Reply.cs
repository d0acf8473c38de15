using System.Text;
using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>What the chunks of one answer share.</summary>
/// <param name="Model">The name that was asked for.</param>
internal sealed record AnswerHead(string Id, long Created, string Model);

/// <summary>One reply that is being put together.</summary>
internal sealed class Reply
{
    private readonly StringBuilder _text = new();

    public List<GeneratedPiece> Pieces { get; } = [];

    public string Text => _text.ToString();

    public IReadOnlyList<int> Ids => [.. Pieces.Select(p => p.Token)];

    public string FinishReason => Word(Pieces.Count == 0 ? Engine.FinishReason.Length : Pieces[^1].Finish) ?? FinishReasons.Length;

    /// <summary>By which replies are ranked.</summary>
    public double MeanLogprob => Pieces.Count == 0 ? 0 : Pieces.Average(p => p.Shown?.Logprob ?? 0);

    /// <summary>The score of a text that a beam search found; null for others.</summary>
    public double? Score => Pieces.Count == 0 ? null : Pieces[^1].Score;

    public void Add(GeneratedPiece piece)
    {
        Pieces.Add(piece);
        _text.Append(piece.Text);
    }

    /// <summary>The word on the wire; null while the reply goes on.</summary>
    public static string? Word(Engine.FinishReason? finish) => finish is not { } reason ? null : reason switch
    {
        Engine.FinishReason.Stop => FinishReasons.Stop,
        Engine.FinishReason.Length => FinishReasons.Length,
    };
}
