using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Collects log-probabilities in the old completion shape; <see cref="Take"/> gives what came since the last time.</summary>
/// <param name="isWanted">Whether anybody asked for log-probabilities.</param>
/// <param name="offset">Characters before the first reply token; an offset counts code points.</param>
internal sealed class CompletionLogprobWriter(bool isWanted, int offset)
{
    private List<string> _tokens = [];
    private List<float?> _logprobs = [];
    private List<IReadOnlyDictionary<string, float>?> _tops = [];
    private List<int> _offsets = [];
    private int _offset = offset;

    /// <summary>The tokens of an echoed prompt, from the start of the text.</summary>
    public void AddAll(PromptEcho echo)
    {
        foreach (var (token, at) in echo.Tokens.Zip(echo.Starts))
        {
            Add(token, at);
        }
    }

    public void Add(GeneratedPiece piece)
    {
        // An end token is no part of the text, and has its entry all the same: there is one for each id.
        if (piece.Shown is { } shown)
        {
            Add(shown, _offset);
        }

        _offset += piece.Length;
    }

    /// <summary>Null when nobody asked for log-probabilities.</summary>
    public CompletionLogprobs? Take()
    {
        if (!isWanted)
        {
            return null;
        }

        var taken = new CompletionLogprobs(_tokens, _logprobs, _tops, _offsets);
        (_tokens, _logprobs, _tops, _offsets) = ([], [], [], []);
        return taken;
    }

    private void Add(ShownToken token, int offset)
    {
        if (!isWanted)
        {
            return;
        }

        _tokens.Add(token.Text);
        _logprobs.Add(token.Logprob);
        _offsets.Add(offset);
        if (token.Logprob is null)
        {
            _tops.Add(null);
            return;
        }

        var byText = new Dictionary<string, float>();
        foreach (var candidate in token.Top)
        {
            // Different tokens can look the same; the likelier came first.
            byText.TryAdd(candidate.Text, candidate.Logprob ?? 0);
        }

        _tops.Add(byText);
    }
}
