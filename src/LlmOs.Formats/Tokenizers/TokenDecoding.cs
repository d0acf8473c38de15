using System.Text;
using LlmOs.Formats.Tokenizers.Decoders;

namespace LlmOs.Formats.Tokenizers;

/// <summary>The decoding of one list of ids, which may come bit by bit.</summary>
internal sealed class TokenDecoding
{
    private readonly Func<int, string?> _spelling;
    private readonly DecoderStep _first;
    private readonly TextStep _last = new();

    /// <param name="spelling">The token that decoders see for an id; null for ids that give no text.</param>
    public TokenDecoding(IDecoder decoder, Func<int, string?> spelling)
    {
        _spelling = spelling;
        _first = decoder.Start(_last);
    }

    public void Push(int id)
    {
        if (_spelling(id) is { } token)
        {
            Push(token);
        }
    }

    public void Push(string token)
    {
        _first.Push(token);
        _first.EndToken();
    }

    public void Finish() => _first.Finish();

    /// <summary>What has become certain since the last call.</summary>
    public string TakeText() => _last.Take();

    private sealed class TextStep : DecoderStep
    {
        private readonly StringBuilder _text = new();

        public override void Push(string fragment) => _text.Append(fragment);

        public override void EndToken()
        {
        }

        public override void Finish()
        {
        }

        public string Take()
        {
            if (_text.Length == 0)
            {
                return "";
            }

            var text = _text.ToString();
            _text.Clear();
            return text;
        }
    }
}
