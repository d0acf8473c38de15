namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>A model whose files name symbols that always stand alone (SentencePiece's user-defined symbols): the longest at each place.</summary>
internal sealed class UserSymbols(ITokenModel model, TokenSearch symbols) : ITokenModel
{
    public string Kind => model.Kind;

    public Vocabulary Vocabulary => model.Vocabulary;

    public int? Unknown => model.Unknown;

    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        var free = 0;
        for (var found = 0; symbols.Next(piece, ref found, out var length, out var token); found += length)
        {
            TokenizeRest(piece[free..found], at + free, sink);
            sink.Add(token.Id, at + found, at + found + length);
            free = found + length;
        }

        TokenizeRest(piece[free..], at + free, sink);
    }

    private void TokenizeRest(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        if (piece.Length > 0)
        {
            model.Tokenize(piece, at, sink);
        }
    }
}
