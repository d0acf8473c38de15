using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>Which of two texts is cut when both are too long together.</summary>
internal enum CutText
{
    /// <summary>The longer one, until both are equally long.</summary>
    LongestFirst,
    OnlyFirst,
    OnlySecond,
}

/// <summary>How texts that are too long are cut.</summary>
internal readonly record struct TextCut(Truncation Side, CutText Text)
{
    /// <summary>They are refused.</summary>
    public static TextCut None => new(Truncation.None, CutText.LongestFirst);

    public static TextCut Right => new(Truncation.Right, CutText.LongestFirst);
}

/// <summary>A text as an encoder reads it, with where its tokens come from.</summary>
/// <param name="Spans">A token each; <see cref="TokenSpan.Sequence"/> is -1 for special ones.</param>
/// <param name="Cut">Tokens that were cut away.</param>
internal sealed record EncoderInput(TokenSpan[] Spans, int Cut)
{
    public EncoderText Text { get; } = new([.. Spans.Select(s => s.Id)], [.. Spans.Select(s => s.TypeId)]);

    /// <summary>Encodes a text, or a pair of texts, for a model.</summary>
    /// <param name="field">Where the request holds the text, for refusals.</param>
    /// <param name="parseSpecialTokens">Whether special tokens that the text spells are meant (a mask).</param>
    /// <exception cref="LlmOsException">The text is too long and may not be cut, or the model has no tokenizer.</exception>
    public static EncoderInput Encode(
        EncoderModel model, string field, string text, string? pair, TextCut cut, bool parseSpecialTokens = false, int? max = null)
    {
        var spans = model.TokenizerOf(field).EncodeWithOffsets(text, pair, addSpecialTokens: true, parseSpecialTokens);
        return Fit(model, field, spans, cut, max ?? model.Facts.MaxTokens);
    }

    /// <summary>Cuts tokens that are too many, as transformers does; a cut goes to the tokenizer's own limit where that is smaller.</summary>
    /// <param name="max">What the model reads.</param>
    public static EncoderInput Fit(EncoderModel model, string field, TokenSpan[] spans, TextCut cut, int max)
    {
        max = cut.Side == Truncation.None ? max : Math.Min(max, model.Facts.TokenizerLimit ?? max);
        if (spans.Length == 0)
        {
            throw LlmOsException.Invalid(field, $"'{field}' holds no token, and this model adds none. Send some text.");
        }

        if (spans.Length <= max)
        {
            return new EncoderInput(spans, Cut: 0);
        }

        if (cut.Side == Truncation.None)
        {
            throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {max} tokens; '{field}' has {spans.Length}, special ones included.")
            {
                Field = field,
                Hint = "Shorten the text, or ask for a cut: \"truncation\": \"right\" on /v1/embeddings, \"truncate\": true in a pipeline's parameters.",
            };
        }

        var (first, second) = (spans.Count(s => s.Sequence == 0), spans.Count(s => s.Sequence == 1));
        var room = max - (spans.Length - first - second);
        var (keepFirst, keepSecond) = cut.Text switch
        {
            CutText.OnlyFirst => (room - second, second),
            CutText.OnlySecond => (first, room - first),
            CutText.LongestFirst => Share(first, second, Math.Max(0, room)),
        };
        if (keepFirst < 0 || keepSecond < 0)
        {
            throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {max} tokens; of '{field}' the text that may not be cut alone has {(keepFirst < 0 ? second : first)}.")
            {
                Field = field,
                Hint = "Ask for \"truncation\": \"longest_first\", which cuts the longer of the two.",
            };
        }

        var kept = new List<TokenSpan>(max);
        var seen = new int[2];
        foreach (var span in spans)
        {
            if (span.Sequence < 0)
            {
                kept.Add(span);
                continue;
            }

            var (count, keep) = span.Sequence == 0 ? (first, keepFirst) : (second, keepSecond);
            var at = seen[span.Sequence]++;
            if (cut.Side == Truncation.Right ? at < keep : at >= count - keep)
            {
                kept.Add(span);
            }
        }

        return new EncoderInput([.. kept], spans.Length - kept.Count);
    }

    /// <summary>How many tokens two texts keep: the longer one gives first (the tokenizers library's longest-first rule).</summary>
    private static (int First, int Second) Share(int first, int second, int room)
    {
        var (small, large) = (Math.Min(first, second), Math.Max(first, second));
        large = small > room ? small : Math.Max(small, room - small);
        if (small + large > room)
        {
            (small, large) = (room / 2, (room / 2) + (room % 2));
        }

        return first <= second ? (Math.Min(small, first), Math.Min(large, second)) : (Math.Min(large, first), Math.Min(small, second));
    }
}
