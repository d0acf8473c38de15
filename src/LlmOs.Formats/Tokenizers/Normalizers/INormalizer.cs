namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>Rewrites a text before it is cut.</summary>
internal interface INormalizer
{
    AlignedText Normalize(AlignedText text);
}

/// <summary>One after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<INormalizer> parts) : INormalizer
{
    /// <summary>Parts, with those of sequences within.</summary>
    public int Size { get; } = 1 + parts.Sum(part => part is NormalizerSequence sequence ? sequence.Size : 1);

    public AlignedText Normalize(AlignedText text)
    {
        foreach (var part in parts)
        {
            text = part.Normalize(text);
        }

        return text;
    }
}

/// <summary>Puts a text before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : INormalizer
{
    public AlignedText Normalize(AlignedText text) => Apply(text, prefix);

    public static AlignedText Apply(AlignedText text, string prefix)
    {
        if (text.Text.Length == 0 || prefix.Length == 0)
        {
            return text;
        }

        // What is put in stands for the first character, as it does in the format's own library.
        var first = char.IsHighSurrogate(text.Text[0]) && text.Text.Length > 1 ? 2 : 1;
        var rewriter = new AlignedText.Rewriter(text, text.Text.Length + prefix.Length);
        rewriter.Write(prefix, 0, first);
        rewriter.Copy(0, text.Text.Length);
        return rewriter.Finish();
    }
}
