using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>The encoder that a task asks, with the tokenizer that turns its texts into ids.</summary>
/// <param name="tokenizer">Null for a model that was imported without one.</param>
internal sealed class EncoderModel(IEncoderRun run, ITokenizer? tokenizer)
{
    public EncoderFacts Facts => run.Facts;

    /// <param name="field">Where the request holds the text, for the refusal.</param>
    public IOffsetTokenizer TokenizerOf(string field) => tokenizer as IOffsetTokenizer ?? throw Refused.NoTokenizer(Facts.Reference, field);

    /// <summary>One result a text, in their order.</summary>
    public Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel) => run.RunAsync(texts, wanted, cancel);

    /// <summary>A vector for each text.</summary>
    public Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, CancellationToken cancel) => run.EmbedAsync(texts, cancel);
}
