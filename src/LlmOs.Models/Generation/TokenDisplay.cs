using System.Globalization;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>Shows a model's tokens.</summary>
internal sealed class TokenDisplay(LoadedModel model)
{
    public ShownToken Show(int id, float? logprob, IReadOnlyList<TokenLogprob> top) => new(
        id,
        model.Texts?.Text(id) ?? id.ToString(CultureInfo.InvariantCulture),
        model.Texts?.Bytes(id),
        model.Tokenizer?.IsSpecial(id) ?? false,
        logprob,
        top.Count == 0 ? [] : [.. top.Select(t => Show(t.Token, t.Logprob, []))]);
}
