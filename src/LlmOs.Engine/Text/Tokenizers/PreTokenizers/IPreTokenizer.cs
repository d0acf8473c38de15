namespace LlmOs.Engine.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts the normalised text into the pieces that the model sees one by one.</summary>
internal interface IPreTokenizer
{
    void Split(Pieces pieces);
}

/// <summary>One after the other.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> parts) : IPreTokenizer
{
    public IReadOnlyList<IPreTokenizer> Parts => parts;

    public void Split(Pieces pieces)
    {
        foreach (var part in parts)
        {
            part.Split(pieces);
        }
    }
}
