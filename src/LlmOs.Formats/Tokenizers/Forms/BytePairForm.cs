using System.Text;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>GPT-2's <c>vocab.json</c> and <c>merges.txt</c>, with the differences of the classes that share them.</summary>
internal static class BytePairForm
{
    public const string VocabularyFile = "vocab.json";
    public const string MergesFile = "merges.txt";

    private const int MaxBytes = 64 << 20;
    private const string VersionLine = "#version";

    private static readonly string[] LikeGpt2 = ["GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "BloomTokenizer", "PreTrainedTokenizer"];
    private static readonly string[] LikeRoberta = ["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer", "BlenderbotTokenizer", "MvpTokenizer"];
    private static readonly string[] LikeQwen = ["Qwen2Tokenizer", "Qwen3Tokenizer"];

    public static Tokenizer Load(IReadOnlyDictionary<string, string> files)
    {
        var config = TokenizerConfig.Read(files);
        var name = config.Class ?? "GPT2Tokenizer";
        var (isRoberta, isQwen) = (LikeRoberta.Contains(name), LikeQwen.Contains(name));
        if (!isRoberta && !isQwen && !LikeGpt2.Contains(name))
        {
            throw new TokenizerFormatException($"{TokenizerConfig.ConfigFile}: the class {Vocabulary.Shown(name)} reads {VocabularyFile} and {MergesFile} in a way that is not supported; expected {string.Join(", ", LikeGpt2[0], LikeRoberta[0], LikeQwen[0])} or the like. A tokenizer.json of it may be.");
        }

        var vocabulary = ReadVocabulary(files[VocabularyFile]);
        if (vocabulary.Find("Ġ") is null && vocabulary.Find("Ġt") is null)
        {
            throw new TokenizerFormatException($"{VocabularyFile} has no token for the byte of a space (Ġ): it is not byte-level BPE, which is what these two files are read as.");
        }

        var words = WordsOf(isRoberta);
        INormalizer? normalizer = isQwen ? new UnicodeNormalizer(NormalizationForm.FormC) : null;
        var leadingSpace = config.Flag("add_prefix_space", false);
        var bytes = new ByteLevelPreTokenizer(leadingSpace, split: !isQwen, spell: true);
        return new Tokenizer(new TokenizerParts
        {
            Model = ModelOf(vocabulary, files[MergesFile]),
            Added = new AddedTokens(config.Added(vocabulary, words), normalizer),
            Normalizer = normalizer,
            PreTokenizer = isQwen ? new PreTokenizerSequence([WordPatterns.Find(WordPatterns.Qwen2Source)!, bytes]) : bytes,
            PostProcessor = FrameOf(config, vocabulary, words, isRoberta) with { TrimSpaces = isRoberta, KeepsFirstSpace = leadingSpace },
            Decoder = new ByteLevelDecoder(),
        });
    }

    private static BpeModel ModelOf(Vocabulary vocabulary, string merges)
    {
        try
        {
            return BpeModel.OfMerges(vocabulary, ReadMerges(merges), new BpeSettings());
        }
        catch (TokenizerFormatException cause)
        {
            throw new TokenizerFormatException($"{MergesFile}: {cause.Message}", cause);
        }
    }

    private static Dictionary<string, string> WordsOf(bool isRoberta) => isRoberta
        ? new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["sep_token"] = "</s>", ["pad_token"] = "<pad>", ["cls_token"] = "<s>", ["mask_token"] = "<mask>" }
        : new() { ["bos_token"] = "<|endoftext|>", ["eos_token"] = "<|endoftext|>", ["unk_token"] = "<|endoftext|>" };

    private static PostProcessor FrameOf(TokenizerConfig config, Vocabulary vocabulary, Dictionary<string, string> words, bool isRoberta)
    {
        if (isRoberta)
        {
            return PostProcessor.Roberta(Required("cls_token"), Required("sep_token"));
        }

        return PostProcessor.Around(
            config.Flag("add_bos_token", false) ? [Required("bos_token")] : [],
            config.Flag("add_eos_token", false) ? [Required("eos_token")] : []);

        int Required(string role)
        {
            var word = config.WordOf(role, words.GetValueOrDefault(role)) ?? throw new TokenizerFormatException($"{TokenizerConfig.ConfigFile} lacks \"{role}\".");
            return vocabulary.Find(word) ?? throw new TokenizerFormatException($"{TokenizerConfig.ConfigFile}.{role} is \"{Vocabulary.Shown(word)}\", which {VocabularyFile} lacks.");
        }
    }

    private static Vocabulary ReadVocabulary(string path)
    {
        var fields = new Fields(TokenizerFiles.ReadJson(path, MaxBytes, VocabularyFile), VocabularyFile);
        return ModelReader.ReadVocabulary(fields.Entries(), VocabularyFile);
    }

    private static List<(string Left, string Right)> ReadMerges(string path)
    {
        var merges = new List<(string Left, string Right)>();
        foreach (var line in TokenizerFiles.ReadText(path, MaxBytes, MergesFile).Split('\n').Select(line => line.TrimEnd('\r')))
        {
            if (line.Length > 0 && !line.StartsWith(VersionLine, StringComparison.Ordinal))
            {
                merges.Add(ModelReader.SplitMerge(line, merges.Count));
            }
        }

        return merges;
    }
}
