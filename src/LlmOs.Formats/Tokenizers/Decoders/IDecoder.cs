namespace LlmOs.Formats.Tokenizers.Decoders;

/// <summary>A decoder of the format, which makes the working part for one text.</summary>
internal interface IDecoder
{
    /// <param name="next">What takes the decoded tokens.</param>
    DecoderStep Start(DecoderStep next);
}

/// <summary>
/// The work on one text. Tokens come in fragments, so that a step that fuses them can pass on what is certain; a whole
/// text and a stream go through the same steps and so give the same characters.
/// </summary>
internal abstract class DecoderStep
{
    /// <summary>Takes a part of the present token.</summary>
    public abstract void Push(string fragment);

    /// <summary>The present token is complete.</summary>
    public abstract void EndToken();

    /// <summary>There is nothing more; what was held back is passed on.</summary>
    public abstract void Finish();
}

/// <summary>A step that looks at whole tokens.</summary>
internal abstract class WholeTokenStep(DecoderStep next) : DecoderStep
{
    private string? _token;
    private System.Text.StringBuilder? _more;

    protected DecoderStep Next => next;

    public override void Push(string fragment)
    {
        if (_token is null)
        {
            _token = fragment;
        }
        else
        {
            _more ??= new System.Text.StringBuilder(_token);
            _more.Append(fragment);
        }
    }

    public override void EndToken()
    {
        var token = _more?.ToString() ?? _token ?? "";
        (_token, _more) = (null, null);
        Take(token);
    }

    public override void Finish() => next.Finish();

    protected abstract void Take(string token);

    protected void Emit(string token)
    {
        next.Push(token);
        next.EndToken();
    }
}

/// <summary>One after the other.</summary>
internal sealed class DecoderSequence(IReadOnlyList<IDecoder> parts) : IDecoder
{
    /// <summary>Parts, with those of sequences within.</summary>
    public int Size { get; } = 1 + parts.Sum(part => part is DecoderSequence sequence ? sequence.Size : 1);

    public DecoderStep Start(DecoderStep next)
    {
        for (var i = parts.Count - 1; i >= 0; i--)
        {
            next = parts[i].Start(next);
        }

        return next;
    }
}
