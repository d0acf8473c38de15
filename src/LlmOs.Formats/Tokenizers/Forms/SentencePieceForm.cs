using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>
/// SentencePiece's model file, encoded as that library does it. Around a text stand the tokens that the class in
/// <c>tokenizer_config.json</c> puts there; without one, those of T5 and Llama, which share this form.
/// </summary>
internal static class SentencePieceForm
{
    private const int MaxBytes = 64 << 20;
    private const int T5Sentinels = 100;

    private static readonly string[] LikeT5 = ["T5Tokenizer", "MT5Tokenizer", "UMT5Tokenizer"];
    private static readonly string[] LikeLlama = ["LlamaTokenizer", "CodeLlamaTokenizer", "MistralTokenizer", "MixtralTokenizer", "GemmaTokenizer"];
    private static readonly string[] LikeBert = ["DebertaV2Tokenizer", "BigBirdTokenizer", "RemBertTokenizer"];

    public static Tokenizer Load(IReadOnlyDictionary<string, string> files, string name)
    {
        var proto = SentencePieceProto.Parse(TokenizerFiles.ReadBytes(files[name], MaxBytes, name), name);
        var config = TokenizerConfig.Read(files);
        if (config.Class is { } @class && !LikeT5.Contains(@class) && !LikeLlama.Contains(@class) && !LikeBert.Contains(@class) && @class != "PreTrainedTokenizer")
        {
            throw new TokenizerFormatException($"{TokenizerConfig.ConfigFile}: the class {Vocabulary.Shown(@class)} changes the ids or texts of {name} in a way that is not supported; expected {LikeT5[0]}, {LikeLlama[0]}, {LikeBert[0]} or the like. A tokenizer.json of it may be.");
        }

        var pieces = proto.Pieces;
        var vocabulary = Vocabulary.OfList(pieces.ConvertAll(p => p.Text));
        var added = AddedOf(config, proto, vocabulary);
        var user = pieces.Select((p, id) => (Piece: p, Id: id)).Where(p => p.Piece.Type == PieceType.UserDefined && p.Piece.Text.Length > 0).ToList();
        var symbols = user.Count == 0 ? null : new TokenSearch(user.ConvertAll(p => (p.Piece.Text, new AddedToken(p.Id, p.Piece.Text, false, false, false, true, false))));
        var normalizer = new SentencePieceNormalizer(new SentencePieceRules
        {
            Map = CharacterMap.Read(proto.CharacterMap, $"{name}: precompiled_charsmap"),
            AddsSpace = proto.AddsSpace,
            RemovesExtraSpaces = proto.RemovesExtraSpaces,
            EscapesSpaces = proto.EscapesSpaces,
            SpaceIsSuffix = proto.SpaceIsSuffix,
            Untouched = symbols,
        });
        return new Tokenizer(new TokenizerParts
        {
            Model = ModelOf(proto, vocabulary, symbols, name),
            Added = new AddedTokens(added, normalizer: null),
            Normalizer = normalizer,
            PostProcessor = FrameOf(config, proto, vocabulary),
            Decoder = new DecoderSequence(
            [
                new ReplaceDecoder(TextPattern.Of("▁"), " "),
                new ByteFallbackDecoder(),
                new FuseDecoder(),
                new StripDecoder(" ", proto is { AddsSpace: true, SpaceIsSuffix: false } ? 1 : 0, 0),
            ]),
        });
    }

    private static ITokenModel ModelOf(SentencePieceProto proto, Vocabulary vocabulary, TokenSearch? symbols, string name)
    {
        var pieces = proto.Pieces;
        var unknown = pieces.FindIndex(p => p.Type == PieceType.Unknown);
        if (unknown < 0)
        {
            throw new TokenizerFormatException($"{name} has no piece of the type unknown.");
        }

        var settings = new BpeSettings { UnknownToken = pieces[unknown].Text, FuseUnknown = true, ByteFallback = proto.ByteFallback };
        ITokenModel model = proto.ModelType switch
        {
            1 => UnigramOf(proto, unknown),
            2 => BpeModel.OfRanks(vocabulary, RanksOf(pieces, name), settings),
            4 => BpeModel.OfRanks(vocabulary, [.. pieces.Select(_ => -1)], settings),
            var type => throw new TokenizerFormatException($"{name}: trainer_spec.model_type is {type}; 1 (unigram), 2 (bpe) and 4 (char) are supported."),
        };
        return symbols is null || proto.ModelType == 1 ? model : new UserSymbols(model, symbols);
    }

    private static UnigramModel UnigramOf(SentencePieceProto proto, int unknown)
    {
        // A user-defined symbol beats every other cut: its score is near that of as many of the best pieces.
        var normal = proto.Pieces.Where(p => p.Type == PieceType.Normal).Select(p => p.Score).DefaultIfEmpty().ToArray();
        var best = normal.Max();
        var scored = proto.Pieces.ConvertAll(p => (p.Text, p.Type == PieceType.UserDefined
            ? (p.Text.EnumerateRunes().Count() * best) - 0.1
            : (double)p.Score));
        return new UnigramModel(
            scored, unknown, proto.ByteFallback, proto.Pieces.ConvertAll(p => p.Type is PieceType.Normal or PieceType.UserDefined), normal.Min());
    }

    /// <summary>The higher a piece's score, the earlier it is merged; equal scores share a rank, so that the leftmost goes first.</summary>
    private static int[] RanksOf(List<SentencePiecePiece> pieces, string name)
    {
        if (pieces.Exists(p => p.Type == PieceType.Unused))
        {
            throw new TokenizerFormatException($"{name} has unused pieces, which are not supported in a BPE model.");
        }

        var ranks = new int[pieces.Count];
        Array.Fill(ranks, -1);
        var rank = -1;
        var last = float.NaN;
        foreach (var (piece, id) in pieces.Select((p, id) => (Piece: p, Id: id)).Where(p => p.Piece.Type == PieceType.Normal).OrderByDescending(p => p.Piece.Score))
        {
            rank += piece.Score == last ? 0 : 1;
            (last, ranks[id]) = (piece.Score, rank);
        }

        return ranks;
    }

    private static List<AddedToken> AddedOf(TokenizerConfig config, SentencePieceProto proto, Vocabulary vocabulary)
    {
        var added = config.Added(vocabulary, new Dictionary<string, string>());
        var known = added.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var (piece, id) in proto.Pieces.Select((p, id) => (p, id)))
        {
            if (piece.Type is PieceType.Control or PieceType.Unknown && known.Add(piece.Text))
            {
                added.Add(new AddedToken(id, piece.Text, false, false, false, Normalized: false, Special: true));
            }
        }

        // T5 counts its sentinels down from the end of a vocabulary that the file does not have.
        for (var i = 0; LikeT5.Contains(config.Class) && i < T5Sentinels; i++)
        {
            var sentinel = $"<extra_id_{i}>";
            if (vocabulary.Find(sentinel) is null && known.Add(sentinel))
            {
                added.Add(new AddedToken(proto.Pieces.Count + T5Sentinels - 1 - i, sentinel, false, false, false, Normalized: false, Special: true));
            }
        }

        return added;
    }

    private static PostProcessor FrameOf(TokenizerConfig config, SentencePieceProto proto, Vocabulary vocabulary)
    {
        var (begin, end) = (Control(proto.BeginId, "<s>"), Control(proto.EndId, "</s>"));
        if (LikeBert.Contains(config.Class))
        {
            return PostProcessor.Bert(Required("cls_token", "[CLS]"), Required("sep_token", "[SEP]"));
        }

        var isT5 = config.Class is { } name ? LikeT5.Contains(name) : proto.ModelType == 1 && begin is null;
        var isLlama = config.Class is { } other ? LikeLlama.Contains(other) : proto.ModelType == 2;
        return PostProcessor.Around(
            begin is { } first && config.Flag("add_bos_token", isLlama) ? [first] : [],
            end is { } last && config.Flag("add_eos_token", isT5) ? [last] : []);

        int? Control(int id, string word) =>
            id >= 0 && id < proto.Pieces.Count && proto.Pieces[id].Type == PieceType.Control ? id
            : !proto.HasTrainerSpec && vocabulary.Find(word) is { } found && proto.Pieces[found].Type == PieceType.Control ? found
            : null;

        int Required(string role, string otherwise)
        {
            var word = config.WordOf(role, otherwise)!;
            return vocabulary.Find(word) ?? throw new TokenizerFormatException($"The vocabulary lacks {role} \"{Vocabulary.Shown(word)}\".");
        }
    }
}
