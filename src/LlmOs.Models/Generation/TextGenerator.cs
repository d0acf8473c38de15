using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>Prompt ids to text.</summary>
internal static class TextGenerator
{
    /// <summary>Ids of a prompt's end that are enough to know how the next token is spelt.</summary>
    private const int ContextIds = 4;

    /// <summary>What the engine is asked. An encoder-decoder reads the prompt and begins with its start token.</summary>
    public static GenerationRequest ToEngine(LoadedModel model, int[] prompt, TextRequest request) => new()
    {
        PromptTokens = model.Seq2Seq is { } setup ? [setup.StartToken] : prompt,
        SourceTokens = model.Seq2Seq is null ? [] : prompt,
        MaxTokens = request.MaxTokens,
        MinTokens = request.MinTokens,
        Sampling = request.Sampling,
        Rules = request.Rules with
        {
            BadWords = [.. model.Rules.BadWords, .. request.Rules.BadWords],
            Suppressed = model.Rules.Suppressed,
            SuppressedAtBegin = model.Rules.SuppressedAtBegin,
            ForcedBegin = model.Rules.ForcedBegin,
            ForcedEnd = model.Rules.ForcedEnd,
            Renormalize = model.Rules.Renormalize,
        },
        Beams = request.Beams,
        EndTokens = [.. model.EndTokens.Union(request.EndTokens)],
        TopLogprobs = request.TopLogprobs,
    };

    public static ReplyAssembler Assembler(LoadedModel model, int[] prompt, TextRequest request) =>
        new(Decoder(model.Tokenizer, prompt, model.Seq2Seq is null ? request : request with { ContinuesPrompt = false }), request.Stop, request.KeepStop);

    private static StreamingDecoder? Decoder(ITokenizer? tokenizer, int[] prompt, TextRequest request)
    {
        if (tokenizer is null)
        {
            return null;
        }

        var decoder = new StreamingDecoder(tokenizer, skipSpecialTokens: true);
        if (!request.ContinuesPrompt)
        {
            return decoder;
        }

        // A token that begins with a blank shows it only where something stands before it. A prompt that ends within
        // a character cannot be continued: the character's rest would come out as a piece of the reply.
        var before = prompt.AsSpan(Math.Max(0, prompt.Length - ContextIds));
        if (tokenizer.Decode(before, skipSpecialTokens: true).EndsWith('\uFFFD'))
        {
            return decoder;
        }

        foreach (var id in before)
        {
            decoder.Append(id);
        }

        return decoder;
    }
}
