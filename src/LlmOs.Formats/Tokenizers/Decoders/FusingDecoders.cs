using System.Text;

namespace LlmOs.Formats.Tokenizers.Decoders;

/// <summary>Makes one token of all.</summary>
internal sealed class FuseDecoder : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(next);

    private sealed class Step(DecoderStep next) : DecoderStep
    {
        public override void Push(string fragment) => next.Push(fragment);

        public override void EndToken()
        {
        }

        public override void Finish()
        {
            next.EndToken();
            next.Finish();
        }
    }
}

/// <summary>Reads printable stand-ins back as bytes, and the bytes of all tokens together as UTF-8.</summary>
internal sealed class ByteLevelDecoder : IDecoder
{
    public DecoderStep Start(DecoderStep next) => new Step(next);

    private sealed class Step(DecoderStep next) : DecoderStep
    {
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder(); // Invalid bytes become U+FFFD.
        private readonly StringBuilder _token = new();

        public override void Push(string fragment) => _token.Append(fragment);

        public override void EndToken()
        {
            var spelt = _token.ToString();
            _token.Clear();
            var bytes = new byte[spelt.Length];
            for (var i = 0; i < spelt.Length; i++)
            {
                var value = ByteAlphabet.ByteOf(spelt[i]);
                if (value < 0)
                {
                    bytes = Encoding.UTF8.GetBytes(spelt); // Not written in stand-ins: an added token, as it is.
                    break;
                }

                bytes[i] = (byte)value;
            }

            PushText(bytes, flush: false);
        }

        public override void Finish()
        {
            PushText([], flush: true);
            next.EndToken();
            next.Finish();
        }

        private void PushText(byte[] bytes, bool flush)
        {
            var text = new char[_utf8.GetCharCount(bytes, flush)];
            _utf8.GetChars(bytes, text, flush);
            if (text.Length > 0)
            {
                next.Push(new string(text));
            }
        }
    }
}

/// <summary>Reads tokens such as <c>&lt;0xE2&gt;</c> back as bytes; a run of them that is not UTF-8 becomes U+FFFD for each.</summary>
internal sealed class ByteFallbackDecoder : IDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public DecoderStep Start(DecoderStep next) => new Step(next);

    private static int ByteOf(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
        && char.IsAsciiHexDigit(token[3]) && char.IsAsciiHexDigit(token[4])
            ? Convert.ToInt32(token.Substring(3, 2), 16)
            : -1;

    private sealed class Step(DecoderStep next) : WholeTokenStep(next)
    {
        private readonly List<byte> _run = [];

        public override void Finish()
        {
            Flush();
            base.Finish();
        }

        protected override void Take(string token)
        {
            if (ByteOf(token) is var value and >= 0)
            {
                // Until the run ends, a later byte may still spoil all of it: nothing of it is certain.
                _run.Add((byte)value);
                return;
            }

            Flush();
            Emit(token);
        }

        private void Flush()
        {
            if (_run.Count == 0)
            {
                return;
            }

            var bytes = _run.ToArray();
            _run.Clear();
            if (System.Text.Unicode.Utf8.IsValid(bytes))
            {
                Emit(Strict.GetString(bytes));
                return;
            }

            for (var i = 0; i < bytes.Length; i++)
            {
                Emit("\uFFFD");
            }
        }
    }
}
