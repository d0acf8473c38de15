using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>BERT's <c>vocab.txt</c>: a token a line, its number the id.</summary>
internal static class WordPieceForm
{
    public const string VocabularyFile = "vocab.txt";

    private const int MaxBytes = 64 << 20;

    /// <summary>Classes that read the file as BERT does.</summary>
    private static readonly string[] Known =
        ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer", "FunnelTokenizer", "LayoutLMTokenizer", "SqueezeBertTokenizer", "LxmertTokenizer", "RetriBertTokenizer", "DPRContextEncoderTokenizer", "DPRQuestionEncoderTokenizer", "DPRReaderTokenizer", "MPNetTokenizer"];

    public static Tokenizer Load(IReadOnlyDictionary<string, string> files)
    {
        var config = TokenizerConfig.Read(files);
        if (config.Class is { } name && !Known.Contains(name) && name != "PreTrainedTokenizer")
        {
            throw new TokenizerFormatException($"{TokenizerConfig.ConfigFile}: the class {Vocabulary.Shown(name)} reads {VocabularyFile} in a way that is not supported; expected {string.Join(", ", Known[..4])} or the like. A tokenizer.json of it may be.");
        }

        var vocabulary = Vocabulary.OfList(ReadLines(files[VocabularyFile]));
        var isMpNet = config.Class == "MPNetTokenizer";
        Dictionary<string, string> words = isMpNet
            ? new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "[UNK]", ["sep_token"] = "</s>", ["pad_token"] = "<pad>", ["cls_token"] = "<s>", ["mask_token"] = "<mask>" }
            : new() { ["unk_token"] = "[UNK]", ["sep_token"] = "[SEP]", ["pad_token"] = "[PAD]", ["cls_token"] = "[CLS]", ["mask_token"] = "[MASK]" };
        var lowercase = config.Flag("do_lower_case") ?? !HasCapitals(vocabulary);
        var normalizer = new BertNormalizer(
            cleanText: true, config.Flag("tokenize_chinese_chars", true), config.Flag("strip_accents", lowercase), lowercase);
        return new Tokenizer(new TokenizerParts
        {
            Model = new WordPieceModel(vocabulary, config.WordOf("unk_token", "[UNK]")!, "##", maxCharacters: 100),
            Added = new AddedTokens(config.Added(vocabulary, words), normalizer),
            Normalizer = normalizer,
            PreTokenizer = new BertPreTokenizer(),
            PostProcessor = Frame(
                vocabulary.Find(config.WordOf("cls_token", words["cls_token"])!), vocabulary.Find(config.WordOf("sep_token", words["sep_token"])!), isMpNet),
            Decoder = new WordPieceDecoder("##", cleanup: true),
        });
    }

    private static PostProcessor Frame(int? begin, int? end, bool isMpNet) => (begin, end) is ({ } first, { } last)
        ? isMpNet ? PostProcessor.Roberta(first, last) : PostProcessor.Bert(first, last)
        : PostProcessor.None;

    // An uncased vocabulary has no capital letters outside its bracketed words.
    private static bool HasCapitals(Vocabulary vocabulary)
    {
        for (var id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.SpellingOf(id) is { } token && !token.StartsWith('[') && !token.StartsWith('<') && token.Any(char.IsAsciiLetterUpper))
            {
                return true;
            }
        }

        return false;
    }

    private static List<string> ReadLines(string path)
    {
        var text = TokenizerFiles.ReadText(path, MaxBytes, VocabularyFile);
        var lines = text.Split('\n').Select(line => line.TrimEnd('\r')).ToList();
        if (lines[^1].Length == 0)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return lines.Count > 0 ? lines : throw new TokenizerFormatException($"{VocabularyFile} is empty.");
    }
}
