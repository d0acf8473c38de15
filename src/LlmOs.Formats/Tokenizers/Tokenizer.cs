using System.Runtime.ExceptionServices;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers;

/// <summary>The parts that a tokenizer is put together from.</summary>
internal sealed record TokenizerParts
{
    public required ITokenModel Model { get; init; }

    public required AddedTokens Added { get; init; }

    public INormalizer? Normalizer { get; init; }

    public IPreTokenizer? PreTokenizer { get; init; }

    public PostProcessor PostProcessor { get; init; } = PostProcessor.None;

    public IDecoder Decoder { get; init; } = new SpaceJoinDecoder();

    public TruncationRule? Truncation { get; init; }

    public PaddingRule? Padding { get; init; }
}

/// <summary>
/// A tokenizer in the parts of Hugging Face's format: added tokens are cut out, the rest is normalised, cut into
/// pieces, put through the model, and framed by the post-processor.
/// </summary>
internal sealed class Tokenizer : IOffsetTokenizer, IIncrementalDecoder
{
    private readonly ITokenModel _model;
    private readonly AddedTokens _added;
    private readonly INormalizer? _normalizer;
    private readonly IPreTokenizer? _preTokenizer;
    private readonly PostProcessor _postProcessor;
    private readonly IDecoder _decoder;

    public Tokenizer(TokenizerParts parts)
    {
        (_model, _preTokenizer) = OverBytes(parts.Model, parts.PreTokenizer);
        (_added, _normalizer, _postProcessor, _decoder) = (parts.Added, parts.Normalizer, parts.PostProcessor, parts.Decoder);
        (Truncation, Padding) = (parts.Truncation, parts.Padding);
        VocabularySize = _model.Vocabulary.Count + _added.All.Count(token => _model.Vocabulary.Find(token.Content) is null);
    }

    public string Kind => _model.Kind;

    public int VocabularySize { get; }

    public int? UnknownToken => _model.Unknown;

    public TruncationRule? Truncation { get; }

    public PaddingRule? Padding { get; }

    public int[] Encode(string text, bool addSpecialTokens, bool parseSpecialTokens)
    {
        using var sink = new TokenSink(tracked: false);
        if (!addSpecialTokens)
        {
            EncodeText(Whole(text), parseSpecialTokens, sink);
            return sink.Ids.ToArray();
        }

        foreach (var slot in _postProcessor.Single)
        {
            if (slot.Text < 0)
            {
                sink.Add(slot.Id, 0, 0);
            }
            else if (slot.Text == 0)
            {
                EncodeText(Whole(text), parseSpecialTokens, sink);
            }
        }

        return sink.Ids.ToArray();
    }

    public int[] EncodePair(string text, string pair, bool addSpecialTokens, bool parseSpecialTokens) =>
        [.. EncodeWithOffsets(text, pair, addSpecialTokens, parseSpecialTokens).Select(token => token.Id)];

    public int[][] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens, bool parseSpecialTokens)
    {
        var results = new int[texts.Count][];
        try
        {
            Parallel.For(0, texts.Count, i => results[i] = Encode(texts[i], addSpecialTokens, parseSpecialTokens));
        }
        catch (AggregateException faults)
        {
            // Each is that of one text, and says what it would say of the text alone.
            ExceptionDispatchInfo.Throw(faults.InnerExceptions[0]);
        }

        return results;
    }

    public TokenSpan[] EncodeWithOffsets(string text, string? pair, bool addSpecialTokens, bool parseSpecialTokens)
    {
        string[] texts = pair is null ? [text] : [text, pair];
        var sinks = new TokenSink[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            sinks[i] = new TokenSink(tracked: true);
            EncodeText(Whole(texts[i]), parseSpecialTokens, sinks[i]);
            if (_postProcessor.TrimSpaces)
            {
                TrimSpaces(sinks[i]);
            }
        }

        var result = new List<TokenSpan>();
        foreach (var slot in pair is null ? _postProcessor.Single : _postProcessor.Pair)
        {
            if (slot.Text < 0)
            {
                if (addSpecialTokens)
                {
                    result.Add(new TokenSpan(slot.Id, 0, 0, slot.TypeId, -1));
                }

                continue;
            }

            if (slot.Text >= sinks.Length)
            {
                continue;
            }

            var sink = sinks[slot.Text];
            for (var i = 0; i < sink.Count; i++)
            {
                result.Add(new TokenSpan(sink.Ids[i], sink.StartOf(i), sink.EndOf(i), slot.TypeId, slot.Text, sink.WordOf(i)));
            }
        }

        foreach (var sink in sinks)
        {
            sink.Dispose();
        }

        return [.. result];
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var decoding = StartDecoding(skipSpecialTokens);
        foreach (var id in ids)
        {
            decoding.Push(id);
        }

        decoding.Finish();
        return decoding.TakeText();
    }

    public string Join(IEnumerable<string> tokens)
    {
        var decoding = new TokenDecoding(_decoder, _ => null);
        foreach (var token in tokens)
        {
            decoding.Push(token);
        }

        decoding.Finish();
        return decoding.TakeText();
    }

    public TokenDecoding StartDecoding(bool skipSpecialTokens) => new(
        _decoder,
        id => (_added.DecodedForm(id) ?? _model.Vocabulary.SpellingOf(id)) is { } token && !(skipSpecialTokens && _added.IsSpecial(token))
            ? token
            : null);

    public string? TokenOf(int id) => _added.Find(id)?.Content ?? _model.Vocabulary.SpellingOf(id);

    public int? IdOf(string token) => _added.Find(token) ?? _model.Vocabulary.Find(token);

    public bool IsSpecial(int id) => _added.Find(id) is { Special: true };

    /// <summary>
    /// A byte-level split in front of a BPE model need not spell the bytes out as characters: the model can take the
    /// text itself.
    /// </summary>
    private static (ITokenModel Model, IPreTokenizer? PreTokenizer) OverBytes(ITokenModel model, IPreTokenizer? preTokenizer)
    {
        if (model is not BpeModel bpe)
        {
            return (model, preTokenizer);
        }

        return preTokenizer switch
        {
            ByteLevelPreTokenizer only when bpe.OverBytes() is { } bytes => (bytes, only.Unspelt()),
            PreTokenizerSequence { Parts: var parts } when parts.Count > 0 && parts[^1] is ByteLevelPreTokenizer last && bpe.OverBytes() is { } bytes =>
                (bytes, new PreTokenizerSequence([.. parts.SkipLast(1), last.Unspelt()])),
            _ => (model, preTokenizer),
        };
    }

    // Half characters cannot be encoded; like every UTF-8 encoder, this one writes U+FFFD for them.
    private static string Whole(string text)
    {
        for (var i = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF'); (uint)i < (uint)text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
                continue;
            }

            return Repaired(text);
        }

        return text;
    }

    private static string Repaired(string text) => string.Create(text.Length, text, (units, source) =>
    {
        source.CopyTo(units);
        for (var i = 0; i < units.Length; i++)
        {
            if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(units[i]))
            {
                units[i] = '\uFFFD';
            }
        }
    });

    private void EncodeText(string text, bool parseSpecial, TokenSink sink)
    {
        var whole = new AlignedText(text, 0, sink.Tracked, new Work(text.Length));
        foreach (var section in _added.SplitRaw(text, parseSpecial))
        {
            if (section.Token is { } token)
            {
                sink.Add(token.Id, section.Start, section.End);
                sink.EndWord();
                continue;
            }

            var part = whole.Slice(section.Start, section.End - section.Start);
            EncodeNormalized(_normalizer?.Normalize(part) ?? part, parseSpecial, sink);
        }
    }

    private void EncodeNormalized(AlignedText text, bool parseSpecial, TokenSink sink)
    {
        foreach (var section in _added.SplitNormalized(text.Text, parseSpecial))
        {
            var part = text.Slice(section.Start, section.End - section.Start);
            if (section.Token is { } token)
            {
                var before = sink.Count;
                sink.Add(token.Id, 0, part.Text.Length);
                sink.EndWord();
                sink.MapToOriginal(before, part);
            }
            else
            {
                EncodePieces(part, sink);
            }
        }
    }

    private void EncodePieces(AlignedText text, TokenSink sink)
    {
        var pieces = new Pieces(text);
        _preTokenizer?.Split(pieces);
        var from = sink.Count;
        foreach (var piece in pieces.List)
        {
            _model.Tokenize(pieces[piece], piece.Start, sink);
            sink.EndWord();
        }

        sink.MapToOriginal(from, pieces.Text);
    }

    private void TrimSpaces(TokenSink sink)
    {
        for (var i = 0; i < sink.Count; i++)
        {
            if (TokenOf(sink.Ids[i]) is not { } token)
            {
                continue;
            }

            var (start, end) = (sink.StartOf(i), sink.EndOf(i));
            var leading = token.TakeWhile(IsSpace).Count();
            var trailing = token.Reverse().TakeWhile(IsSpace).Count();

            // A single leading space of the first token was put there by the tokenizer: its range has none.
            if (leading == 1 && _postProcessor.KeepsFirstSpace && (i == 0 || start == 0))
            {
                leading = 0;
            }

            start = Math.Min(start + leading, end);
            end = trailing > 0 && end >= trailing ? Math.Max(end - trailing, start) : end;
            sink.SetRange(i, start, end);
        }

        static bool IsSpace(char unit) => unit == 'Ġ' || char.IsWhiteSpace(unit);
    }
}
