using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Forms;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Finds a tokenizer among published files, and reads it, whatever form its authors chose.</summary>
public static class TokenizerFolder
{
    private const string Json = "tokenizer.json";
    private const string Piece = "spiece.model";
    private const string Gguf = "tokenizer.gguf";

    /// <summary>Where the older forms put what they do not say themselves.</summary>
    private static readonly string[] Beside = [TokenizerConfig.ConfigFile, TokenizerConfig.WordsFile, TokenizerConfig.AddedFile];

    /// <summary>SentencePiece's models and tiktoken files, which share names.</summary>
    private static readonly string[] Binary =
    [
        Piece, "tokenizer.model", "sentencepiece.bpe.model", "sentencepiece.model", "spm.model", "spiece.bpe.model",
        "tokenizer.tiktoken", "qwen.tiktoken", "tiktoken.model", "cl100k_base.tiktoken", "o200k_base.tiktoken", "p50k_base.tiktoken", "r50k_base.tiktoken",
    ];

    /// <summary>Every name under which a part of a tokenizer may stand.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Json, Gguf, .. Binary, BytePairForm.VocabularyFile, BytePairForm.MergesFile, WordPieceForm.VocabularyFile, .. Beside];

    /// <summary>The names of the files that make up the tokenizer, the one that decides the form first; empty when there is none.</summary>
    public static IReadOnlyList<string> FilesOf(IEnumerable<string> names)
    {
        var there = names.ToHashSet(StringComparer.Ordinal);
        if (there.Contains(Json) || there.Contains(Gguf))
        {
            return [there.Contains(Json) ? Json : Gguf];
        }

        string[] form = Array.Find(Binary, there.Contains) is { } binary ? [binary]
            : there.Contains(BytePairForm.VocabularyFile) && there.Contains(BytePairForm.MergesFile) ? [BytePairForm.VocabularyFile, BytePairForm.MergesFile]
            : there.Contains(WordPieceForm.VocabularyFile) ? [WordPieceForm.VocabularyFile]
            : [];
        return form.Length == 0 ? [] : [.. form, .. Beside.Where(there.Contains)];
    }

    /// <summary>The name that a file of this content would have if it stood alone; null for what is no known form.</summary>
    public static string? NameFor(string path)
    {
        Span<byte> head = stackalloc byte[512];
        using var stream = File.OpenRead(path);
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        var text = (head.StartsWith("\uFEFF"u8) ? head[3..] : head).TrimStart(" \t\r\n"u8);
        return text.Length == 0 ? null
            : text[0] == (byte)'{' ? Json
            : head.StartsWith("GGUF"u8) ? Gguf
            : head[0] == 0x0A ? Piece // the tag of the first piece
            : TiktokenForm.Begins(head) ? "tokenizer.tiktoken"
            : head.StartsWith("[PAD]"u8) ? WordPieceForm.VocabularyFile
            : null;
    }

    /// <param name="files">Names, as published, and where their contents lie.</param>
    /// <exception cref="TokenizerFormatException">They are no tokenizer, or one that cannot be used; the message names the component.</exception>
    public static IOffsetTokenizer Load(IReadOnlyDictionary<string, string> files)
    {
        var form = FilesOf(files.Keys) is [var main, ..] ? main : null;
        return form switch
        {
            Json => TokenizerJson.Load(files[Json]),
            Gguf => LoadGguf(files[Gguf]),
            BytePairForm.VocabularyFile => BytePairForm.Load(files),
            WordPieceForm.VocabularyFile => WordPieceForm.Load(files),
            null => throw new TokenizerFormatException(
                $"There is no tokenizer among the files; expected {Json}, {Piece} or tokenizer.model, {BytePairForm.VocabularyFile} with {BytePairForm.MergesFile}, {WordPieceForm.VocabularyFile}, a tiktoken file, or a GGUF file."),
            _ when NameFor(files[form]) is "tokenizer.tiktoken" => TiktokenForm.Load(files[form], form),
            _ => SentencePieceForm.Load(files, form),
        };
    }

    private static IOffsetTokenizer LoadGguf(string path)
    {
        try
        {
            using var file = GgufFile.Open(path, Gguf);
            return TokenizerJson.Parse(GgufTokenizer.ToJson(file.Metadata));
        }
        catch (ModelFormatException fault)
        {
            throw new TokenizerFormatException(fault.Message, fault);
        }
    }
}
