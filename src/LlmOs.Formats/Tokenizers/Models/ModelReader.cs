using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>Builds the model from its JSON.</summary>
internal static class ModelReader
{
    public static ITokenModel Read(Fields fields) => (fields.StringOrNull("type") ?? Guess(fields)) switch
    {
        "BPE" => ReadBpe(fields),
        "Unigram" => ReadUnigram(fields),
        "WordPiece" => new WordPieceModel(
            ReadVocabulary(fields),
            fields.StringOrNull("unk_token") ?? "[UNK]",
            fields.StringOrNull("continuing_subword_prefix") ?? "##",
            fields.NumberOrNull("max_input_chars_per_word") ?? 100),
        "WordLevel" => new WordLevelModel(ReadVocabulary(fields), fields.StringOrNull("unk_token") ?? "<unk>"),
        var type => throw fields.Unsupported(type),
    };

    // Early files do not name the type; these fields tell it.
    private static string Guess(Fields fields) =>
        fields.Find("merges") is not null ? "BPE"
        : fields.Find("unk_id") is not null ? "Unigram"
        : fields.Find("continuing_subword_prefix") is not null ? "WordPiece"
        : fields.Find("vocab") is { ValueKind: JsonValueKind.Object } ? "WordLevel"
        : throw new TokenizerFormatException($"{fields.Component} lacks \"type\".");

    private static BpeModel ReadBpe(Fields fields)
    {
        var merges = new List<(string Left, string Right)>();
        foreach (var (rank, merge) in fields.Items("merges").Index())
        {
            // The first line of a merges.txt that was taken over as it stood; the format's own library leaves it out as well.
            if (merge.ValueKind != JsonValueKind.String || !Fields.TextOf(merge, "model.merges").StartsWith("#version", StringComparison.Ordinal))
            {
                merges.Add(ReadMerge(merge, rank));
            }
        }

        return BpeModel.OfMerges(ReadVocabulary(fields), merges, new BpeSettings
        {
            UnknownToken = fields.StringOrNull("unk_token"),
            FuseUnknown = fields.Flag("fuse_unk", false),
            ByteFallback = fields.Flag("byte_fallback", false),
            IgnoreMerges = fields.Flag("ignore_merges", false),
            ContinuingPrefix = fields.StringOrNull("continuing_subword_prefix") ?? "",
            EndOfWordSuffix = fields.StringOrNull("end_of_word_suffix") ?? "",
        });
    }

    private static (string Left, string Right) ReadMerge(JsonElement merge, int rank)
    {
        if (merge.ValueKind == JsonValueKind.String)
        {
            return SplitMerge(Fields.TextOf(merge, $"model.merges[{rank}]"), rank);
        }

        if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
            && merge[0].ValueKind == JsonValueKind.String && merge[1].ValueKind == JsonValueKind.String)
        {
            return (Fields.TextOf(merge[0], $"model.merges[{rank}]"), Fields.TextOf(merge[1], $"model.merges[{rank}]"));
        }

        throw new TokenizerFormatException($"model.merges[{rank}] is neither \"left right\" nor [\"left\", \"right\"].");
    }

    public static (string Left, string Right) SplitMerge(string merge, int rank)
    {
        var space = merge.IndexOf(' ', StringComparison.Ordinal);
        return space >= 0 && merge.IndexOf(' ', space + 1) < 0
            ? (merge[..space], merge[(space + 1)..])
            : throw new TokenizerFormatException($"model.merges[{rank}] is \"{Vocabulary.Shown(merge)}\"; two tokens with one space between were expected.");
    }

    private static Vocabulary ReadVocabulary(Fields fields)
    {
        var vocab = fields.Required("vocab");
        if (vocab.ValueKind != JsonValueKind.Object)
        {
            throw fields.Wrong("vocab", vocab, "an object of tokens and ids");
        }

        return ReadVocabulary(vocab.EnumerateObject(), "model.vocab");
    }

    public static Vocabulary ReadVocabulary(JsonElement.ObjectEnumerator entries, string component) => Vocabulary.Of(
        entries.Select(entry =>
            entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var id)
                ? KeyValuePair.Create(Fields.NameOf(entry, component), id)
                : throw new TokenizerFormatException($"{component}: the id of \"{Vocabulary.Shown(Fields.NameOf(entry, component))}\" is not a whole number in range.")),
        component);

    private static UnigramModel ReadUnigram(Fields fields)
    {
        var pieces = new List<(string Piece, double Score)>();
        foreach (var (i, item) in fields.Items("vocab").Index())
        {
            if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2
                || item[0].ValueKind != JsonValueKind.String || item[1].ValueKind != JsonValueKind.Number)
            {
                throw new TokenizerFormatException($"model.vocab[{i}] is not [\"piece\", score].");
            }

            pieces.Add((Fields.TextOf(item[0], $"model.vocab[{i}]"), item[1].TryGetDouble(out var score) ? score : double.NaN));
        }

        return new UnigramModel(pieces, fields.NumberOrNull("unk_id"), fields.Flag("byte_fallback", false));
    }
}
