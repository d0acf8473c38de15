using LlmOs.Formats.Tokenizers;

namespace LlmOs.Formats.Text;

/// <summary>A tokenizer that can decode ids as they come.</summary>
internal interface IIncrementalDecoder
{
    TokenDecoding StartDecoding(bool skipSpecialTokens);
}

/// <summary>
/// Text of ids that come one by one: never half a character, never a space that a later id takes back. All pieces
/// together are exactly what <see cref="ITokenizer.Decode"/> makes of all ids, for tokenizers that this library loads. For one stream, on one thread.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly TokenDecoding? _decoding;
    private readonly ITokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly List<int> _ids = [];
    private string _given = "";
    private bool _finished;

    public StreamingDecoder(ITokenizer tokenizer, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _decoding = (tokenizer as IIncrementalDecoder)?.StartDecoding(skipSpecialTokens);
    }

    /// <summary>Takes the next id.</summary>
    /// <returns>The text that is certain now; often nothing, when a character or a space is still open.</returns>
    public string Append(int id)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (_decoding is not null)
        {
            _decoding.Push(id);
            return _decoding.TakeText();
        }

        // A tokenizer of another make can only be asked for the whole text. An open character shows as U+FFFD at the end.
        _ids.Add(id);
        var text = DecodeAll();
        var certain = text.TrimEnd('\uFFFD');
        if (certain.Length <= _given.Length || !certain.StartsWith(_given, StringComparison.Ordinal))
        {
            return "";
        }

        var more = certain[_given.Length..];
        _given = certain;
        return more;
    }

    /// <summary>The rest of the text. Nothing may be appended after it.</summary>
    public string Finish()
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        _finished = true;
        if (_decoding is null)
        {
            var text = DecodeAll();
            return text.StartsWith(_given, StringComparison.Ordinal) ? text[_given.Length..] : "";
        }

        _decoding.Finish();
        return _decoding.TakeText();
    }

    private string DecodeAll() =>
        _tokenizer.Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids), _skipSpecialTokens);
}
