using System.Text;

namespace LlmOs.Formats.Tokenizers.Decoders;

/// <summary>Replaces a pattern within each token.</summary>
internal sealed class ReplaceDecoder(TextPattern pattern, string content) : IDecoder
{
    public DecoderStep Start(DecoderStep next) =>
        pattern.Literal is { Length: 1 } literal && !char.IsSurrogate(literal[0])
            ? new UnitStep(literal, content, next)
            : new TokenStep(pattern, content, next);

    // One character can be replaced in any fragment, so that nothing is held back.
    private sealed class UnitStep(string literal, string content, DecoderStep next) : DecoderStep
    {
        public override void Push(string fragment) => next.Push(fragment.Replace(literal, content, StringComparison.Ordinal));

        public override void EndToken() => next.EndToken();

        public override void Finish() => next.Finish();
    }

    private sealed class TokenStep(TextPattern pattern, string content, DecoderStep next) : WholeTokenStep(next)
    {
        private readonly Work _work = new(0);

        protected override void Take(string token)
        {
            var result = new StringBuilder();
            var done = 0;
            _work.Grant(token.Length);
            foreach (var match in pattern.Matches(token, _work))
            {
                result.Append(token, done, match.Start - done).Append(content);
                done = match.End;
            }

            Emit(result.Append(token, done, token.Length - done).ToString());
        }
    }
}

/// <summary>Takes up to so many of a character off each token's start and end.</summary>
internal sealed class StripDecoder(string character, int start, int stop) : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(character, start, stop, next);

    private sealed class Step(string character, int start, int stop, DecoderStep next) : DecoderStep
    {
        private readonly StringBuilder _held = new();
        private int _taken;

        public override void Push(string fragment)
        {
            var at = 0;
            while (_taken < start && at < fragment.Length)
            {
                if (string.CompareOrdinal(fragment, at, character, 0, character.Length) != 0)
                {
                    _taken = start;
                    break;
                }

                at += character.Length;
                _taken++;
            }

            if (stop == 0)
            {
                Pass(at == 0 ? fragment : fragment[at..]);
                return;
            }

            // What may still turn out to be the token's end is held back.
            _held.Append(fragment, at, fragment.Length - at);
            var text = _held.ToString();
            var keep = Cut(text);
            Pass(text[..keep]);
            _held.Clear().Append(text, keep, text.Length - keep);
        }

        public override void EndToken()
        {
            _held.Clear();
            _taken = 0;
            next.EndToken();
        }

        public override void Finish() => next.Finish();

        private int Cut(string text)
        {
            var end = text.Length;
            for (var i = 0; i < stop && end > 0 && text.AsSpan(0, end).EndsWith(character); i++)
            {
                end -= character.Length;
            }

            return end;
        }

        private void Pass(string text)
        {
            if (text.Length > 0)
            {
                next.Push(text);
            }
        }
    }
}
