namespace LlmOs.Formats.Tokenizers.Decoders;

/// <summary>WordPiece: a space before every token but the first and the continuations.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(prefix, cleanup, next);

    /// <summary>Takes out the spaces that English punctuation does not have.</summary>
    public static string Cleanup(string text) => !text.Contains(' ')
        ? text
        : text.Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal)
            .Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
            .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
            .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" do not", " don't", StringComparison.Ordinal)
            .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal)
            .Replace(" 're", "'re", StringComparison.Ordinal);

    private sealed class Step(string prefix, bool cleanup, DecoderStep next) : WholeTokenStep(next)
    {
        private bool _first = true;

        protected override void Take(string token)
        {
            if (!_first)
            {
                token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
            }

            _first = false;
            Emit(cleanup ? Cleanup(token) : token);
        }
    }
}

/// <summary>SentencePiece: the mark is a space, but for the one that encoding put first.</summary>
internal sealed class MetaspaceDecoder(string mark, bool dropsFirst) : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(mark, dropsFirst, next);

    private sealed class Step(string mark, bool dropsFirst, DecoderStep next) : WholeTokenStep(next)
    {
        private bool _first = dropsFirst;

        protected override void Take(string token)
        {
            Emit(token.Replace(mark, _first ? "" : " ", StringComparison.Ordinal));
            _first = false;
        }
    }
}

/// <summary>BPE with an end-of-word suffix: it is a space, but for the last token.</summary>
internal sealed class BpeSuffixDecoder(string suffix) : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(suffix, next);

    private sealed class Step(string suffix, DecoderStep next) : WholeTokenStep(next)
    {
        private string? _last;

        public override void Finish()
        {
            if (_last is not null)
            {
                Emit(Replaced(_last, ""));
            }

            base.Finish();
        }

        protected override void Take(string token)
        {
            if (_last is not null)
            {
                Emit(Replaced(_last, " "));
            }

            _last = token;
        }

        private string Replaced(string token, string by) =>
            suffix.Length == 0 ? token : token.Replace(suffix, by, StringComparison.Ordinal);
    }
}

/// <summary>Connectionist temporal classification: repeats collapse, pads go.</summary>
internal sealed class CtcDecoder(string pad, string delimiter, bool cleanup) : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(pad, delimiter, cleanup, next);

    private sealed class Step(string pad, string delimiter, bool cleanup, DecoderStep next) : WholeTokenStep(next)
    {
        private string? _last;

        protected override void Take(string token)
        {
            if (token == _last)
            {
                return;
            }

            _last = token;
            var text = Without(token, pad, "");
            text = cleanup ? Without(WordPieceDecoder.Cleanup(text), delimiter, " ") : text;
            if (text.Length > 0)
            {
                Emit(text);
            }
        }

        private static string Without(string text, string what, string by) =>
            what.Length == 0 ? text : text.Replace(what, by, StringComparison.Ordinal);
    }
}

/// <summary>What stands in for a missing decoder: tokens with spaces between them.</summary>
internal sealed class SpaceJoinDecoder : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(next);

    private sealed class Step(DecoderStep next) : WholeTokenStep(next)
    {
        private bool _first = true;

        protected override void Take(string token)
        {
            Emit(_first ? token : " " + token);
            _first = false;
        }
    }
}
