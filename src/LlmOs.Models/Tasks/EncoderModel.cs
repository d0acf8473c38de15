using LlmOs.Engine;
using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
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
    public Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, CancellationToken cancel) => run.EmbedAsync(texts, promptTokens: 0, cancel);

    /// <summary>A vector for each text that begins with a prompt.</summary>
    public Task<float[][]> EmbedAsync(IReadOnlyList<EncoderText> texts, string prompt, CancellationToken cancel) => run.EmbedAsync(texts, TokensOf(prompt), cancel);

    /// <summary>The text that stands before each input: the prompt of a name, the model's own where none is named, or nothing.</summary>
    /// <param name="field">Where the request names it.</param>
    public string PromptOf(string? name, string field)
    {
        var known = Facts.Prompts.ByName;
        return (name ?? Facts.Prompts.Default) is not { } wanted ? ""
            : known.TryGetValue(wanted, out var prompt) ? prompt
            : throw LlmOsException.Invalid(field, $"'{field}' names none of the model's prompts; {(known.Count == 0 ? "it has none" : $"it has {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}")}.");
    }

    /// <summary>A text as its vector is made of it: with the prompt before it.</summary>
    public string Worded(string prompt, string text) => Facts.LowersCase ? Casing.Lower(prompt + text) : prompt + text;

    /// <summary>As sentence-transformers counts: with the special tokens that stand before a text, without the one behind it.</summary>
    private int TokensOf(string prompt)
    {
        if (prompt.Length == 0)
        {
            return 0;
        }

        var spans = TokenizerOf("input").EncodeWithOffsets(Worded(prompt, ""), null, addSpecialTokens: true, parseSpecialTokens: false);
        return spans.Length - (spans is [.., { Sequence: < 0 }] ? 1 : 0);
    }
}
