using LlmOs.Engine;
using LlmOs.Formats.Text;

namespace LlmOs.Models.Generation;

/// <summary>A new token and what it adds to the reply.</summary>
/// <param name="Text">What can be shown now; may be empty while a character or a stop text is not yet decided.</param>
/// <param name="Token">The engine's piece.</param>
/// <param name="TokenText">The token's own share of the text, stop texts included; the shares of all tokens make the text.</param>
/// <param name="Finish">Set on the last piece.</param>
/// <param name="ByStopText">Whether a stop text, rather than an end token, ended the reply.</param>
internal sealed record TextPiece(string Text, GenerationPiece Token, string TokenText, FinishReason? Finish, bool ByStopText)
{
    /// <summary>Whether the token ended the reply itself and so is no part of its text.</summary>
    public bool IsEndToken => Token.Finish == FinishReason.Stop;
}

/// <summary>Turns an engine's tokens into text: whole characters, nothing beyond a stop text, no end token.</summary>
/// <param name="decoder">Null for a model without a tokenizer: no text at all.</param>
/// <param name="keepStop">Leave the token that completes a stop text whole, as transformers' pipelines do.</param>
internal sealed class ReplyAssembler(StreamingDecoder? decoder, IReadOnlyList<string> stops, bool keepStop = false)
{
    private readonly StopStrings _stops = new(stops);

    /// <summary>Takes the next token. Not to be called again after a piece with a finish.</summary>
    public TextPiece Append(GenerationPiece piece)
    {
        var share = piece.Finish == FinishReason.Stop ? "" : decoder?.Append(piece.Token) ?? "";
        if (piece.Finish is not null)
        {
            share += decoder?.Finish() ?? "";
        }

        var certain = _stops.Append(share);
        if (_stops.Matched)
        {
            return new TextPiece(keepStop ? share : certain, piece, share, FinishReason.Stop, ByStopText: true);
        }

        if (piece.Finish is not null)
        {
            certain += _stops.Finish();
        }

        return new TextPiece(keepStop ? share : certain, piece, share, piece.Finish, ByStopText: false);
    }
}
