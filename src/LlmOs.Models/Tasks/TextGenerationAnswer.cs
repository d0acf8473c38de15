using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>Writes the texts of a run in the shape of the pipeline, whole or as text-generation-inference streams them.</summary>
internal sealed class TextGenerationAnswer(ITextRun run, TextGenerationPlan plan)
{
    /// <summary>A list of texts; for a list of inputs a list of such lists.</summary>
    public async Task<object> WholeAsync(CancellationToken cancel)
    {
        var choices = plan.Choices;
        var replies = Enumerable.Range(0, run.Prompts.Count * choices).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var byInput = plan.Inputs.Select((input, at) =>
            replies.Skip(at * choices).Take(choices).Select(reply => ToText(input, run.Prompts[at], reply)).ToList()).ToList();
        return plan.IsList ? byInput : byInput[0];
    }

    public async IAsyncEnumerable<object> Events([EnumeratorCancellation] CancellationToken cancel)
    {
        var reply = new Reply();
        await foreach (var piece in run.Pieces(cancel))
        {
            reply.Add(piece);
            var isLast = piece.Finish is not null;
            yield return new GenerationStreamEvent(
                reply.Pieces.Count,
                ToToken(piece) with { Text = piece.Text },
                isLast ? TextOf(plan.Inputs[0], reply) : null,
                isLast && plan.Details ? ToDetails(reply, withTokens: false) : null);
        }
    }

    /// <summary>The new text; cleaned up, it is what the whole has more than the prompt does.</summary>
    private string TextOf(GenerationInput input, Reply reply)
    {
        if (!plan.CleansUp)
        {
            return reply.Text;
        }

        var whole = SpaceCleanUp.Of(input.Text + reply.Text);
        return whole[Math.Min(whole.Length, SpaceCleanUp.Of(input.Text ?? "").Length)..];
    }

    private GeneratedText ToText(GenerationInput input, int[] prompt, Reply reply)
    {
        var details = plan.Details ? ToDetails(reply, withTokens: true) : null;
        var text = TextOf(input, reply);
        return plan.Output switch
        {
            GenerationOutput.TokenIds => new GeneratedText { TokenIds = [.. prompt, .. reply.Ids], Details = details },
            GenerationOutput.NewText => new GeneratedText { Text = text, Details = details },
            GenerationOutput.FullText => new GeneratedText { Text = input.Chat is { } chat ? Continue(chat, text) : input.Text + text, Details = details },
        };
    }

    /// <summary>The conversation with the new message; a last message of the assistant's is continued instead.</summary>
    private static List<PipelineMessage> Continue(IReadOnlyList<PipelineMessage> chat, string text) => TextGenerationPlan.ContinuesLast(chat)
        ? [.. chat.Take(chat.Count - 1), chat[^1] with { Content = chat[^1].Content + text }]
        : [.. chat, new PipelineMessage("assistant", text)];

    private GenerationDetails ToDetails(Reply reply, bool withTokens) => new(
        EndWords.Of(reply),
        reply.Pieces.Count,
        plan.Seed,
        Prefill: [],
        withTokens ? [.. reply.Pieces.Select(ToToken)] : []);

    /// <summary>Tokens are shown where details or a stream were asked for.</summary>
    private static GeneratedToken ToToken(GeneratedPiece piece) => new(piece.Token, piece.Shown!.Text, piece.Shown.Logprob ?? 0, piece.Shown.IsSpecial);
}
