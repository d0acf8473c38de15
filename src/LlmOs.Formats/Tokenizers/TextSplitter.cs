using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// The words that the model of a <c>tokenizer.json</c> would see of a text, normalised and cut: what such a model is trained on.
/// </summary>
public sealed class TextSplitter
{
    private readonly INormalizer? _normalizer;
    private readonly IPreTokenizer? _preTokenizer;

    private TextSplitter(INormalizer? normalizer, IPreTokenizer? preTokenizer) => (_normalizer, _preTokenizer) = (normalizer, preTokenizer);

    /// <param name="json">A tokenizer.json; only its <c>normalizer</c> and <c>pre_tokenizer</c> are read.</param>
    /// <exception cref="TokenizerFormatException">They cannot be used; the message names the component.</exception>
    public static TextSplitter Parse(ReadOnlySpan<byte> json)
    {
        using var document = TokenizerFiles.ParseJson(json.ToArray(), "tokenizer.json");
        var file = new Fields(document.RootElement, "tokenizer.json");
        return new TextSplitter(NormalizerReader.Read(file.Find("normalizer"), "normalizer"), PreTokenizerReader.Read(file.Find("pre_tokenizer"), "pre_tokenizer"));
    }

    /// <summary>Gives the words of a text, in order.</summary>
    /// <param name="take">Told each word; it is good during the call only.</param>
    public void Split(string text, Action<ReadOnlySpan<char>> take)
    {
        var whole = new AlignedText(text, 0, tracked: false, new Work(text.Length));
        var pieces = new Pieces(_normalizer?.Normalize(whole) ?? whole);
        _preTokenizer?.Split(pieces);
        foreach (var piece in pieces.List)
        {
            take(pieces[piece]);
        }
    }
}
