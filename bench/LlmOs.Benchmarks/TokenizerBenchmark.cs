using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LlmOs.Formats.Tokenizers;
using Microsoft.ML.Tokenizers;

namespace LlmOs.Benchmarks;

/// <summary>
/// Encoding in MB of UTF-8 a second on one core: each kind of tokenizer on English, code, Chinese and hostile texts, beside
/// Microsoft.ML.Tokenizers reading the same files. A case says where that library's ids are not the reference's.
/// </summary>
internal static class TokenizerBenchmark
{
    private const int Rounds = 5;
    private const int HostileBytes = 32 << 10; // the other library is quadratic on some of these
    private const double MinSeconds = 0.05;
    private const double WarmSeconds = 0.3; // until the runtime has compiled both for this kind of text

    private const string Gpt2Pattern = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string QwenPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <param name="Ours">Ids without special tokens.</param>
    /// <param name="Peer">The same; a library may give them as it likes.</param>
    private sealed record Contest(string Kind, Func<string, IReadOnlyList<int>> Ours, Func<string, IReadOnlyList<int>> Peer);

    /// <param name="only">A part of a kind's name: those are measured and shown, and nothing is saved; null: all.</param>
    public static async Task RunAsync(string shared, string? only, CancellationToken cancel)
    {
        var report = new Report("tokenizers", "Encoding on one core, texts of the shared folder", "LlmOs", "Microsoft.ML.Tokenizers 2.0.1", "MB/s", moreIsBetter: true);
        var texts = Texts(shared);
        foreach (var contest in Contests(shared).Where(c => only is null || c.Kind.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            foreach (var (name, text) in texts)
            {
                cancel.ThrowIfCancellationRequested();
                var same = contest.Ours(text).SequenceEqual(contest.Peer(text));
                Rate(contest.Ours, text, WarmSeconds);
                Rate(contest.Peer, text, WarmSeconds);
                List<double> ours = [], theirs = [];
                for (var round = 0; round < Rounds; round++)
                {
                    // The order alternates, so that neither always runs on what the other left behind.
                    var first = round % 2 == 0 ? contest.Ours : contest.Peer;
                    var second = round % 2 == 0 ? contest.Peer : contest.Ours;
                    var (one, two) = (Rate(first, text), Rate(second, text));
                    ours.Add(round % 2 == 0 ? one : two);
                    theirs.Add(round % 2 == 0 ? two : one);
                }

                report.Add($"{contest.Kind}: {name}{(same ? "" : " (its ids differ)")}", ours, theirs);
            }
        }

        if (only is null)
        {
            await report.SaveAsync(cancel);
            await SaveLinearAsync(shared, cancel);
        }
    }

    /// <summary>Hostile texts of 64 KB and of 1 MB: what is linear has the same rate on both.</summary>
    private static async Task SaveLinearAsync(string shared, CancellationToken cancel)
    {
        var report = new Report("tokenizers-linear", "Encoding of hostile texts: the rate must not fall with the length", "1 MB", "64 KB", "MB/s", moreIsBetter: true);
        foreach (var contest in Contests(shared))
        {
            foreach (var (name, unit) in Hostile)
            {
                var (longer, shorter) = (Repeated(unit, 1 << 20), Repeated(unit, 1 << 16));
                Rate(contest.Ours, longer, WarmSeconds);
                List<double> ofLonger = [], ofShorter = [];
                for (var round = 0; round < Rounds; round++)
                {
                    ofLonger.Add(Rate(contest.Ours, longer));
                    ofShorter.Add(Rate(contest.Ours, shorter));
                }

                report.Add($"{contest.Kind}: {name}", ofLonger, ofShorter);
            }
        }

        await report.SaveAsync(cancel);
    }

    private static IEnumerable<Contest> Contests(string shared)
    {
        var gpt2 = Path.Combine(shared, "vectors", "tokenizers", "models", "gpt2", "tokenizer.json");
        yield return new Contest("byte-level BPE, GPT-2", Ours(gpt2), Tiktoken(gpt2, Gpt2Pattern, 50_256));

        var qwen = Path.Combine(shared, "models", "tokenizers", "qwen3", "tokenizer.json");
        yield return new Contest("byte-level BPE, Qwen 3", Ours(qwen), Tiktoken(qwen, QwenPattern, 151_643));

        var mistral = Path.Combine(shared, "models", "spm", "tokenizer.model.v1");
        using var llamaFile = File.OpenRead(mistral);
        var llama = LlamaTokenizer.Create(llamaFile, addBeginOfSentence: false, addEndOfSentence: false);
        yield return new Contest("BPE with byte fallback, Mistral", Ours(mistral), text => llama.EncodeToIds(text));

        // The other library fails at the T5-like model of the vectors.
        var translation = Path.Combine(shared, "models", "spm", "wmtende.model");
        using var unigramFile = File.OpenRead(translation);
        var unigram = SentencePieceTokenizer.Create(unigramFile, addBeginningOfSentence: false, addEndOfSentence: false);
        yield return new Contest("Unigram, WMT English-German", Ours(translation), text => unigram.EncodeToIds(text));

        var bert = Path.Combine(shared, "models", "all-minilm-l6-v2", "vocab.txt");
        var wordPiece = BertTokenizer.Create(bert);
        var ours = TokenizerFolder.Load(new Dictionary<string, string> { ["vocab.txt"] = bert });
        yield return new Contest("WordPiece, BERT", text => ours.Encode(text, addSpecialTokens: true, parseSpecialTokens: false), text => wordPiece.EncodeToIds(text));
    }

    private static Func<string, IReadOnlyList<int>> Ours(string path)
    {
        var tokenizer = TokenizerFolder.Load(new Dictionary<string, string> { [path.EndsWith(".json", StringComparison.Ordinal) ? "tokenizer.json" : "spiece.model"] = path });
        return text => tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);
    }

    /// <summary>The other library's fastest byte-level BPE, over the same tokens as ranks.</summary>
    private static Func<string, IReadOnlyList<int>> Tiktoken(string path, string pattern, int ranks)
    {
        var bytes = new Dictionary<char, byte>();
        for (int value = 0, next = 256; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            bytes[(char)(printable ? value : next++)] = (byte)value;
        }

        using var file = JsonDocument.Parse(File.ReadAllBytes(path));
        var lines = new StringBuilder();
        foreach (var token in file.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject().Where(t => t.Value.GetInt32() < ranks).OrderBy(t => t.Value.GetInt32()))
        {
            lines.Append(Convert.ToBase64String([.. token.Name.Select(unit => bytes[unit])])).Append(' ').Append(token.Value.GetInt32()).Append('\n');
        }

        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(lines.ToString()));
        var expression = new System.Text.RegularExpressions.Regex(pattern, System.Text.RegularExpressions.RegexOptions.Compiled | System.Text.RegularExpressions.RegexOptions.CultureInvariant);
        var tokenizer = TiktokenTokenizer.Create(stream, new RegexPreTokenizer(expression, null), normalizer: null);
        return text => tokenizer.EncodeToIds(text);
    }

    private static readonly (string Name, string Unit)[] Hostile = [("one letter", "a"), ("spaces", " "), ("emoji and joiners", "👩‍👩‍👧‍👦"), ("random letters", "")];

    private static List<(string Name, string Text)> Texts(string shared)
    {
        var code = new StringBuilder();
        foreach (var line in File.ReadLines(Path.Combine(shared, "data", "mbpp", "mbpp.jsonl")))
        {
            using var row = JsonDocument.Parse(line);
            code.Append(row.RootElement.GetProperty("code").GetString()).Append("\n\n");
        }

        return
        [
            ("English", File.ReadAllText(Path.Combine(shared, "data", "wikitext2", "wiki.valid.raw"))),
            ("code", code.ToString()),
            ("Chinese", File.ReadAllText(Path.Combine(shared, "data", "ntrex128", "newstest2019-ref.zho-CN.txt"))),
            .. Hostile.Select(h => (h.Name, Repeated(h.Unit, HostileBytes))),
        ];
    }

    private static string Repeated(string unit, int bytes)
    {
        if (unit.Length == 0)
        {
            var random = new Random(1);
            return string.Create(bytes, random, (text, chance) =>
            {
                foreach (ref var letter in text)
                {
                    letter = (char)chance.Next('a', 'z' + 1);
                }
            });
        }

        return string.Concat(Enumerable.Repeat(unit, bytes / Encoding.UTF8.GetByteCount(unit)));
    }

    private static double Rate(Func<string, IReadOnlyList<int>> encode, string text, double min = MinSeconds)
    {
        var (bytes, begin, count) = (Encoding.UTF8.GetByteCount(text), Stopwatch.GetTimestamp(), 0);
        do
        {
            encode(text);
            count++;
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < min);

        return (double)bytes * count / 1e6 / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }
}
