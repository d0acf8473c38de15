using System.Runtime.CompilerServices;
using LlmOs.Models.Generation;
using LlmOs.Models.Tasks;

namespace LlmOs.Models.Dialects.Tgi;

/// <summary>Writes the text of a run, whole or token by token.</summary>
internal sealed class TgiAnswer(ITextRun run, TgiPlan plan)
{
    /// <summary>The text; of several the one with the likeliest tokens on average, the others in its details.</summary>
    public async Task<TgiReply> WholeAsync(CancellationToken cancel)
    {
        var replies = Enumerable.Range(0, plan.Choices).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var best = replies.Index().MaxBy(r => r.Item.MeanLogprob);
        if (!plan.Details)
        {
            return new TgiReply(TextOf(best.Item), Details: null);
        }

        var prefill = await PrefillAsync(cancel);
        var others = replies.Index().Where(r => r.Index != best.Index).Select(r => new TgiSequence(
            TextOf(r.Item), EndWords.Of(r.Item), r.Item.Pieces.Count, SeedOf(r.Index), prefill, TokensOf(r.Item), TopTokensOf(r.Item))).ToList();
        return new TgiReply(TextOf(best.Item), new TgiDetails(
            EndWords.Of(best.Item),
            best.Item.Pieces.Count,
            SeedOf(best.Index),
            prefill,
            TokensOf(best.Item),
            plan.Choices > 1 ? others : null,
            TopTokensOf(best.Item)));
    }

    public async IAsyncEnumerable<object> Items([EnumeratorCancellation] CancellationToken cancel)
    {
        var reply = new Reply();
        await foreach (var piece in run.Pieces(cancel))
        {
            reply.Add(piece);
            var isLast = piece.Finish is not null;
            yield return new TgiStreamItem(
                reply.Pieces.Count,
                ToToken(piece),
                plan.TopTokens ? TopTokensOf(piece) : null,
                isLast ? TextOf(reply) : null,
                isLast && plan.Details ? new TgiStreamDetails(EndWords.Of(reply), reply.Pieces.Count, SeedOf(0), run.Prompts[0].Length) : null);
        }
    }

    private string TextOf(Reply reply) => plan.FullText ? plan.Inputs + reply.Text : reply.Text;

    private long? SeedOf(int index) => plan.Seed is { } seed ? unchecked(seed + index) : null;

    /// <summary>The order asked for log-probabilities, so each token is shown.</summary>
    private static List<TgiToken> TokensOf(Reply reply) => reply.Pieces.ConvertAll(ToToken);

    /// <summary>The texts of all tokens that are not special make the text: a character's last token has it whole.</summary>
    private static TgiToken ToToken(GeneratedPiece piece) =>
        piece.IsEndToken || piece.Shown!.IsSpecial ? ToToken(piece.Shown!) : ToToken(piece.Shown) with { Text = piece.Text };

    private List<IReadOnlyList<TgiToken>>? TopTokensOf(Reply reply) => plan.TopTokens ? reply.Pieces.ConvertAll(TopTokensOf) : null;

    private static IReadOnlyList<TgiToken> TopTokensOf(GeneratedPiece piece) => [.. piece.Shown!.Top.Select(ToToken)];

    private static TgiToken ToToken(ShownToken token) => new(token.Id, token.Text, token.Logprob ?? 0, token.IsSpecial);

    private async Task<IReadOnlyList<TgiInputToken>> PrefillAsync(CancellationToken cancel) => !plan.Prefill
        ? []
        : [.. (await run.EchoAsync(0, cancel)).Tokens.Select(token => new TgiInputToken(token.Id, token.Text, token.Logprob))];
}
