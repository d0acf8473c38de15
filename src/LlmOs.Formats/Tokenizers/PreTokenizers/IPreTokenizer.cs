namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>Cuts the normalised text into the pieces that the model sees one by one.</summary>
internal interface IPreTokenizer
{
    void Split(Pieces pieces);
}

/// <summary>One after the other.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> parts) : IPreTokenizer
{
    public IReadOnlyList<IPreTokenizer> Parts => parts;

    /// <summary>Parts, with those of sequences within.</summary>
    public int Size { get; } = 1 + parts.Sum(part => part is PreTokenizerSequence sequence ? sequence.Size : 1);

    public void Split(Pieces pieces)
    {
        foreach (var part in parts)
        {
            part.Split(pieces);
        }
    }
}
