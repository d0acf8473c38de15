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
