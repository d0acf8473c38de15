using System.Globalization;
using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Collects log-probabilities in the old completion shape; <see cref="Take"/> gives what came since the last time.</summary>
/// <param name="offset">Characters before the first reply token.</param>
internal sealed class CompletionLogprobWriter(LoadedModel model, int? top, int offset)
{
    private List<string> _tokens = [];
    private List<float?> _logprobs = [];
    private List<IReadOnlyDictionary<string, float>?> _tops = [];
    private List<int> _offsets = [];
    private int _offset = offset;

    /// <summary>The tokens of an echoed prompt, from the start of the text.</summary>
    public void AddAll(IReadOnlyList<PromptScore> scores)
    {
        var at = 0;
        foreach (var score in scores)
        {
            Add(score.Token, score.Logprob, score.Top, at);
            at = Math.Min(_offset, at + (model.Tokenizer?.IsSpecial(score.Token) == false ? TextOf(score.Token).Length : 0));
        }
    }

    public void Add(TextPiece piece)
    {
        // The end token is no part of the text.
        if (!piece.IsEndToken)
        {
            Add(piece.Token.Token, piece.Token.Logprob, piece.Token.TopLogprobs, _offset);
        }

        _offset += piece.TokenText.Length;
    }

    /// <summary>Null when nobody asked for log-probabilities.</summary>
    public CompletionLogprobs? Take()
    {
        if (top is null)
        {
            return null;
        }

        var taken = new CompletionLogprobs(_tokens, _logprobs, _tops, _offsets);
        (_tokens, _logprobs, _tops, _offsets) = ([], [], [], []);
        return taken;
    }

    private void Add(int token, float? logprob, IReadOnlyList<TokenLogprob> tops, int offset)
    {
        if (top is null)
        {
            return;
        }

        _tokens.Add(TextOf(token));
        _logprobs.Add(logprob);
        _offsets.Add(offset);
        if (logprob is null)
        {
            _tops.Add(null);
            return;
        }

        var byText = new Dictionary<string, float>();
        foreach (var candidate in tops)
        {
            // Different tokens can look the same; the likelier came first.
            byText.TryAdd(TextOf(candidate.Token), candidate.Logprob);
        }

        _tops.Add(byText);
    }

    private string TextOf(int token) => model.Texts?.Text(token) ?? token.ToString(CultureInfo.InvariantCulture);
}
