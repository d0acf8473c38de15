using System.Text.Json.Nodes;
using LlmOs.Engine.Formats;
using LlmOs.Engine.Formats.Gguf;

namespace LlmOs.Models.Registry.Gguf;

/// <summary>
/// A GGUF file's vocabulary as <c>tokenizer.json</c>, so that the model's text is cut as its author's tokenizer cuts it.
/// Kinds: <c>gpt2</c> (byte-level pairs, with the pre-tokenizer that <c>tokenizer.ggml.pre</c> names) and <c>llama</c>
/// (SentencePiece pairs by score, with byte fallback).
/// </summary>
internal static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Kinds of tokens in <c>tokenizer.ggml.token_type</c>.</summary>
    private const int Unknown = 2, Control = 3, UserDefined = 4;

    /// <summary>Null for a file without a vocabulary: such a model takes token ids only.</summary>
    /// <exception cref="ModelFormatException">The vocabulary contradicts itself, or is of a kind that is not read.</exception>
    public static JsonObject? Json(GgufMetadata metadata)
    {
        var kind = metadata.Text(Prefix + "model") ?? "none";
        if (kind is "none" or "no_vocab")
        {
            return null;
        }

        var tokens = metadata.Texts(Prefix + "tokens") ?? throw metadata.Missing(Prefix + "tokens");
        var types = Types(metadata, tokens.Count);
        var vocabulary = new JsonObject();
        for (var id = 0; id < tokens.Count; id++)
        {
            if (!vocabulary.TryAdd(tokens[id], id))
            {
                throw metadata.Corrupt(Prefix + "tokens", $"holds the token '{ModelName.Shorten(tokens[id])}' twice");
            }
        }

        var begin = AddsBegin(metadata, kind) ? Special(metadata, tokens, "bos") : null;
        var end = metadata.Flag(Prefix + "add_eos_token") == true ? Special(metadata, tokens, "eos") : null;
        return kind switch
        {
            "gpt2" => ByteLevel(metadata, tokens, types, vocabulary, begin, end),
            "llama" => SentencePiece(metadata, tokens, types, vocabulary, begin, end),
            _ => throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{metadata.File}: the tokenizer kind '{ModelName.Shorten(kind)}' is not read from GGUF; read are gpt2 and llama. Import the model from its published folder instead."),
        };
    }

    /// <summary>What chat templates and clients read about special words.</summary>
    public static JsonObject Config(GgufMetadata metadata, int context)
    {
        var tokens = metadata.Texts(Prefix + "tokens") ?? [];
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = context,
            ["add_bos_token"] = AddsBegin(metadata, metadata.Text(Prefix + "model") ?? "none"),
            ["add_eos_token"] = metadata.Flag(Prefix + "add_eos_token") ?? false,
        };
        foreach (var (kind, name) in new[] { ("bos", "bos_token"), ("eos", "eos_token"), ("unknown", "unk_token"), ("padding", "pad_token") })
        {
            if (Special(metadata, tokens, kind) is { } special)
            {
                config[name] = special.Text;
            }
        }

        return config;
    }

    /// <summary>Llama's vocabularies begin a text with the begin token unless they say otherwise; Llama 3's too, although it is byte-level.</summary>
    private static bool AddsBegin(GgufMetadata metadata, string kind) =>
        metadata.Flag(Prefix + "add_bos_token") ?? (kind == "llama" || metadata.Text(Prefix + "pre") is "llama3" or "llama-v3" or "llama-bpe");

    private static (string Text, int Id)? Special(GgufMetadata metadata, IReadOnlyList<string> tokens, string kind) =>
        metadata.Whole($"{Prefix}{kind}_token_id", 0, int.MaxValue) is not { } id ? null
        : id < tokens.Count ? (tokens[id], id)
        : tokens.Count == 0 ? null
        : throw metadata.Corrupt($"{Prefix}{kind}_token_id", $"is {id}, but there are {tokens.Count} tokens");

    private static IReadOnlyList<long> Types(GgufMetadata metadata, int count)
    {
        var types = metadata.Wholes(Prefix + "token_type") ?? [.. Enumerable.Repeat(1L, count)];
        return types.Count == count ? types : throw metadata.Corrupt(Prefix + "token_type", $"has {types.Count} items for {count} tokens");
    }

    private static JsonObject ByteLevel(
        GgufMetadata metadata, IReadOnlyList<string> tokens, IReadOnlyList<long> types, JsonObject vocabulary, (string, int)? begin, (string, int)? end)
    {
        var merges = new JsonArray();
        foreach (var merge in metadata.Texts(Prefix + "merges") ?? throw metadata.Missing(Prefix + "merges"))
        {
            var at = merge.Length < 2 ? -1 : merge.IndexOf(' ', 1);
            if (at < 0)
            {
                throw metadata.Corrupt(Prefix + "merges", $"holds '{ModelName.Shorten(merge)}', which is not two pieces");
            }

            merges.Add(new JsonArray(merge[..at], merge[(at + 1)..]));
        }

        var pre = GgufPreTokenizer.Of(metadata);
        return File(
            Added(tokens, types),
            pre.Normalizer,
            pre.Json,
            PostProcessor(begin, end) ?? new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = false, ["use_regex"] = true },
            new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            Pairs(vocabulary, merges, unknown: null, byteFallback: false, pre.IgnoresMerges));
    }

    private static JsonObject SentencePiece(
        GgufMetadata metadata, IReadOnlyList<string> tokens, IReadOnlyList<long> types, JsonObject vocabulary, (string, int)? begin, (string, int)? end)
    {
        var scores = metadata.Numbers(Prefix + "scores") ?? throw metadata.Missing(Prefix + "scores");
        if (scores.Count != tokens.Count)
        {
            throw metadata.Corrupt(Prefix + "scores", $"has {scores.Count} items for {tokens.Count} tokens");
        }

        var prefix = metadata.Flag(Prefix + "add_space_prefix") ?? true;
        var replace = new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "▁" };
        var normalizer = prefix
            ? new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" }, replace) }
            : replace;
        var decoders = new JsonArray(
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "▁" }, ["content"] = " " },
            new JsonObject { ["type"] = "ByteFallback" },
            new JsonObject { ["type"] = "Fuse" });
        if (prefix)
        {
            decoders.Add((JsonNode)new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        }

        var unknown = Special(metadata, tokens, "unknown")?.Text ?? Enumerable.Range(0, tokens.Count).Where(id => types[id] == Unknown).Select(id => tokens[id]).FirstOrDefault();
        return File(
            Added(tokens, types),
            normalizer,
            preTokenizer: null,
            PostProcessor(begin, end),
            new JsonObject { ["type"] = "Sequence", ["decoders"] = decoders },
            Pairs(vocabulary, MergesByScore(tokens, scores), unknown, byteFallback: true, ignoresMerges: false));
    }

    /// <summary>
    /// Every way in which a piece is two other pieces, best score first: SentencePiece merges the neighbours whose piece has
    /// the best score, which is what a list of merges in this order does.
    /// </summary>
    private static JsonArray MergesByScore(IReadOnlyList<string> tokens, IReadOnlyList<double> scores)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
        {
            ids[tokens[id]] = id;
        }

        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        List<(double Score, int Left, int Right)> merges = [];
        for (var id = 0; id < tokens.Count; id++)
        {
            var piece = tokens[id].AsSpan();
            // Longer ones do not come out of pairs, and would make this quadratic.
            for (var cut = 1; cut < Math.Min(piece.Length, 256); cut++)
            {
                if (lookup.TryGetValue(piece[..cut], out var left) && lookup.TryGetValue(piece[cut..], out var right))
                {
                    merges.Add((scores[id], left, right));
                }
            }
        }

        var ordered = merges.OrderByDescending(m => m.Score).ThenBy(m => m.Left).ThenBy(m => m.Right);
        return [.. ordered.Select(m => (JsonNode)new JsonArray(tokens[m.Left], tokens[m.Right]))];
    }

    private static JsonArray Added(IReadOnlyList<string> tokens, IReadOnlyList<long> types)
    {
        var added = new JsonArray();
        for (var id = 0; id < tokens.Count; id++)
        {
            // An empty spelling would be found everywhere.
            if (types[id] is Control or UserDefined or Unknown && tokens[id].Length > 0)
            {
                added.Add((JsonNode)new JsonObject
                {
                    ["id"] = id,
                    ["content"] = tokens[id],
                    ["single_word"] = false,
                    ["lstrip"] = false,
                    ["rstrip"] = false,
                    ["normalized"] = false,
                    ["special"] = types[id] != UserDefined,
                });
            }
        }

        return added;
    }

    private static JsonObject? PostProcessor((string Text, int Id)? begin, (string Text, int Id)? end)
    {
        if (begin is null && end is null)
        {
            return null;
        }

        var specials = new JsonObject();
        foreach (var special in new[] { begin, end })
        {
            if (special is { } s)
            {
                specials[s.Text] = new JsonObject { ["id"] = s.Text, ["ids"] = new JsonArray(s.Id), ["tokens"] = new JsonArray(s.Text) };
            }
        }

        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. Around("A", 0)]),
            ["pair"] = new JsonArray([.. Around("A", 0), .. Around("B", 1)]),
            ["special_tokens"] = specials,
        };

        IEnumerable<JsonNode> Around(string sequence, int type)
        {
            if (begin is { } first)
            {
                yield return new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = first.Text, ["type_id"] = type } };
            }

            yield return new JsonObject { ["Sequence"] = new JsonObject { ["id"] = sequence, ["type_id"] = type } };
            if (end is { } last)
            {
                yield return new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = last.Text, ["type_id"] = type } };
            }
        }
    }

    private static JsonObject Pairs(JsonObject vocabulary, JsonArray merges, string? unknown, bool byteFallback, bool ignoresMerges) => new()
    {
        ["type"] = "BPE",
        ["dropout"] = null,
        ["unk_token"] = unknown,
        ["continuing_subword_prefix"] = null,
        ["end_of_word_suffix"] = null,
        ["fuse_unk"] = unknown is not null,
        ["byte_fallback"] = byteFallback,
        ["ignore_merges"] = ignoresMerges,
        ["vocab"] = vocabulary,
        ["merges"] = merges,
    };

    private static JsonObject File(JsonArray added, JsonObject? normalizer, JsonObject? preTokenizer, JsonObject? postProcessor, JsonObject decoder, JsonObject model) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = added,
        ["normalizer"] = normalizer,
        ["pre_tokenizer"] = preTokenizer,
        ["post_processor"] = postProcessor,
        ["decoder"] = decoder,
        ["model"] = model,
    };
}
