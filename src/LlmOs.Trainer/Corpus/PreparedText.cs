using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Tools.Tokenizers;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Files;

namespace LlmOs.Trainer.Corpus;

/// <summary>
/// A training's text as a folder: token files, tokenizer, and what both are. Made once for a job and kept, so that going on
/// after a stop neither reads the text again nor sees what became of it.
/// </summary>
internal sealed record PreparedText
{
    private const string AboutFile = "text.json";
    private const string TokenizerFile = "tokenizer.json";

    /// <summary>What belongs to a tokenizer, where it is there.</summary>
    public static readonly IReadOnlyList<string> TokenizerFiles =
        [TokenizerFile, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"];

    /// <summary>Where a model names its end tokens, in the order of asking.</summary>
    private static readonly string[] ConfigFiles = [HuggingFaceFolder.ConfigFile, "generation_config.json"];

    /// <summary>Where the files lie.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Folder { get; init; } = "";

    /// <summary>Ids are below it.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Follows each document.</summary>
    public required int EndToken { get; init; }

    public required string EndSpelling { get; init; }

    /// <summary>Whether the tokenizer is a stored model's, not trained on this text.</summary>
    public required bool IsStored { get; init; }

    /// <summary>Whether whole documents are kept for validation.</summary>
    public required bool ByDocument { get; init; }

    /// <summary>Tokens at the end of the text that are kept for validation.</summary>
    public required long Tail { get; init; }

    public TokenCorpus Open() => TokenCorpus.Open(Folder, ByDocument, Tail);

    /// <summary>What an earlier start of the job prepared, or a new folder.</summary>
    /// <exception cref="LlmOsException">The text cannot be used.</exception>
    public static PreparedText Prepare(TrainerJob job, TrainingPlan plan, Action<TrainerEvent> emit, CancellationToken cancel)
    {
        var folder = Path.Combine(job.WorkFolder, "text");
        if (!Directory.Exists(folder))
        {
            if (!File.Exists(job.TextPath))
            {
                throw LlmOsException.Invalid("text", "There is no such file of text.");
            }

            var bytes = new FileInfo(job.TextPath).Length;
            DiskRoom.Write(job.WorkFolder, "The text's tokens", plan.IdBytes * bytes, () => DurableFolder.Write(folder, unfinished => Make(unfinished, job, plan, emit, cancel)));
        }

        var about = JsonSerializer.Deserialize<PreparedText>(File.ReadAllBytes(Path.Combine(folder, AboutFile)), LlmOsJson.Options)
            ?? throw new InvalidDataException($"{AboutFile} holds null.");
        return about with { Folder = folder };
    }

    private static void Make(string folder, TrainerJob job, TrainingPlan plan, Action<TrainerEvent> emit, CancellationToken cancel)
    {
        var separator = plan.SpecialTokens[0];
        var from = job.BaseFolder ?? job.TokenizerFolder;
        long documents;
        TextTokenizer tokenizer;
        if (from is null)
        {
            emit(TrainerStage.Of(TrainingCodes.TrainingTokenizer));
            var counted = new Counted(TextChunks.Read(job.TextPath, separator, job.Spec.Encoding));
            tokenizer = TextTokenizer.Train(folder, counted.Chunks(), plan.Sizes.Vocabulary, plan.SpecialTokens, cancel);
            documents = counted.Documents;
            if (tokenizer.VocabularySize < plan.Sizes.Vocabulary)
            {
                emit(TrainerWarning.Of(TrainingCodes.SmallVocabulary.With(("wanted", plan.Sizes.Vocabulary), ("found", tokenizer.VocabularySize))));
            }
        }
        else
        {
            emit(TrainerStage.Of(TrainingCodes.ReadingText));
            tokenizer = Stored(from, plan, separator);
            documents = Count(TextChunks.Read(job.TextPath, separator, job.Spec.Encoding), cancel);
            foreach (var file in TokenizerFiles.Where(f => File.Exists(Path.Combine(from, f))))
            {
                File.Copy(Path.Combine(from, file), Path.Combine(folder, file));
            }
        }

        emit(TrainerStage.Of(TrainingCodes.Tokenizing));
        var (byDocument, tail) = TokenCorpus.Build(folder, TextChunks.Read(job.TextPath, separator, job.Spec.Encoding), documents, plan.Validation, tokenizer, cancel);
        var about = new PreparedText
        {
            Vocabulary = from is null ? tokenizer.VocabularySize : plan.Sizes.Vocabulary,
            EndToken = tokenizer.EndToken,
            EndSpelling = tokenizer.EndSpelling,
            IsStored = from is not null,
            ByDocument = byDocument,
            Tail = tail,
        };
        File.WriteAllBytes(Path.Combine(folder, AboutFile), JsonSerializer.SerializeToUtf8Bytes(about, LlmOsJson.Options));
    }

    /// <summary>A stored model's tokenizer; the token that ends a document is the model's own.</summary>
    private static TextTokenizer Stored(string folder, TrainingPlan plan, string separator)
    {
        var tokenizer = TokenizerJson.Load(Path.Combine(folder, TokenizerFile));
        if (tokenizer.VocabularySize > plan.Sizes.Vocabulary)
        {
            throw LlmOsException.Invalid("base", $"The tokenizer has {tokenizer.VocabularySize} tokens, the model's embedding only {plan.Sizes.Vocabulary} rows.");
        }

        var end = EndTokens(folder).FirstOrDefault(id => id < plan.Sizes.Vocabulary, -1);
        end = end >= 0 ? end : tokenizer.IdOf(separator) ?? -1;
        return end >= 0
            ? new TextTokenizer(tokenizer, plan.Sizes.Vocabulary, end, separator)
            : throw LlmOsException.Invalid("tokenizer", $"The model names no token that ends a text ('eos_token_id' of its config.json), and its tokenizer has no '{separator}'.");
    }

    private static IEnumerable<int> EndTokens(string folder) =>
        ConfigFiles
            .Where(file => File.Exists(Path.Combine(folder, file)))
            .SelectMany(file => ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, file)), file).Ids("eos_token_id"));

    private static long Count(IEnumerable<TextChunk> chunks, CancellationToken cancel)
    {
        var counted = new Counted(chunks);
        foreach (var _ in counted.Chunks())
        {
            cancel.ThrowIfCancellationRequested();
        }

        return counted.Documents;
    }

    /// <summary>Counts documents that hold something, while somebody else reads them.</summary>
    private sealed class Counted(IEnumerable<TextChunk> chunks)
    {
        public long Documents { get; private set; }

        public IEnumerable<TextChunk> Chunks()
        {
            var hasText = false;
            foreach (var chunk in chunks)
            {
                hasText |= !chunk.Text.IsEmpty;
                if (chunk.EndsDocument && hasText)
                {
                    Documents++;
                    hasText = false;
                }

                yield return chunk;
            }
        }
    }
}
