using System.Text;
using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>One text of a run that is being put together.</summary>
internal sealed class Reply
{
    private readonly StringBuilder _text = new();

    public List<GeneratedPiece> Pieces { get; } = [];

    public string Text => _text.ToString();

    public IReadOnlyList<int> Ids => [.. Pieces.Select(p => p.Token)];

    /// <summary>Why it ended; null while it goes on.</summary>
    public FinishReason? Finish => Pieces.Count == 0 ? null : Pieces[^1].Finish;

    /// <summary>By which replies are ranked.</summary>
    public double MeanLogprob => Pieces.Count == 0 ? 0 : Pieces.Average(p => p.Shown?.Logprob ?? 0);

    /// <summary>The score of a text that a beam search found; null for others.</summary>
    public double? Score => Pieces.Count == 0 ? null : Pieces[^1].Score;

    public void Add(GeneratedPiece piece)
    {
        Pieces.Add(piece);
        _text.Append(piece.Text);
    }
}
