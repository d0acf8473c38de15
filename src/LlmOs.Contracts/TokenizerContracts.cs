using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>Texts to encode.</summary>
public sealed record EncodeRequest
{
    /// <summary>Special tokens spelt out in them become those tokens, as the published tokenizers do it.</summary>
    [Length(1, 10_000), TextLength(4 << 20), AnyText]
    public required IReadOnlyList<string> Texts { get; init; }

    /// <summary>Whether the tokenizer puts its own special tokens around each text.</summary>
    public bool AddSpecialTokens { get; init; } = true;
}

/// <summary>Token ids, a list for each text; neither padded nor cut.</summary>
public sealed record EncodeReply(IReadOnlyList<IReadOnlyList<int>> Ids);

/// <summary>Token ids to decode.</summary>
public sealed record DecodeRequest
{
    /// <summary>A list of ids for each text.</summary>
    [Length(1, 10_000)]
    public required IReadOnlyList<IReadOnlyList<int>> Ids { get; init; }

    /// <summary>Whether special tokens leave no text.</summary>
    public bool SkipSpecialTokens { get; init; } = true;
}

/// <summary>Texts, one for each list of ids.</summary>
public sealed record DecodeReply(IReadOnlyList<string> Texts);

/// <summary>A tokenizer that was put.</summary>
/// <param name="Kind"><c>BPE</c>, <c>Unigram</c>, <c>WordPiece</c> or <c>WordLevel</c>.</param>
/// <param name="Vocabulary">Tokens, added ones included.</param>
/// <param name="Files">What it was read from.</param>
public sealed record TokenizerView(
    string Name, string Kind, int Vocabulary, IReadOnlyList<ModelFileView> Files, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>Asks for a job that learns a tokenizer from a text.</summary>
public sealed record TokenizerTrainingRequest
{
    /// <summary>Under which the tokenizer is stored, in the place of what has it; by the rules of a model's name.</summary>
    public required string Name { get; init; }

    /// <summary><c>file:/path.txt</c>, UTF-8, beneath one of <c>LLMOS_IMPORT_DIRS</c>. <c>&lt;|endoftext|&gt;</c> separates documents.</summary>
    public required string Text { get; init; }

    /// <summary>How the text's file is written: <c>utf-8</c> (default) or <c>windows-1252</c>. A byte order mark is read and is no text.</summary>
    public string? Encoding { get; init; }

    /// <summary><c>bpe</c>: byte-level BPE; <c>unigram</c>: SentencePiece's unigram model; <c>wordpiece</c>: BERT's.</summary>
    public required string Train { get; init; }

    /// <summary>Tokens wanted, special ones included. Default: 8192. A small text may not have so many parts.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>
    /// Special tokens, first the one that ends a document. Default: <c>&lt;|endoftext|&gt;</c>; for <c>wordpiece</c> BERT's
    /// <c>[PAD] [UNK] [CLS] [SEP] [MASK]</c>. The unknown token, <c>&lt;unk&gt;</c> or <c>[UNK]</c>, is added where it is missing.
    /// </summary>
    public IReadOnlyList<string>? SpecialTokens { get; init; }

    /// <summary>Share of the text's characters that are spelt out, <c>unigram</c> and <c>wordpiece</c>; the rarest become unknown. Default: 0.9995.</summary>
    public double? CharacterCoverage { get; init; }

    /// <summary>Whether <c>wordpiece</c> makes capitals small and takes accents away, as BERT's uncased models do. Default: true.</summary>
    public bool? Lowercase { get; init; }
}

/// <summary>What a job that learnt a tokenizer made, and how it does on its own text.</summary>
/// <param name="Name">Of the stored tokenizer.</param>
/// <param name="Kind"><c>BPE</c>, <c>Unigram</c> or <c>WordPiece</c>.</param>
/// <param name="Vocabulary">Tokens, special ones included.</param>
/// <param name="Fertility">Tokens per word; words stand between white space.</param>
/// <param name="Coverage">Share of the characters, white space aside, that are not part of an unknown token.</param>
/// <param name="Words">Of the text.</param>
/// <param name="Tokens">Of the text.</param>
/// <param name="Characters">Of the text, white space aside.</param>
public sealed record TrainedTokenizerView(string Name, string Kind, int Vocabulary, double Fertility, double Coverage, long Words, long Tokens, long Characters);
