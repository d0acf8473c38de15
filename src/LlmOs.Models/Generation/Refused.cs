using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>Refusals that several ways to a model share.</summary>
internal static class Refused
{
    /// <summary>The refusal of text by a model that has no tokenizer.</summary>
    /// <param name="reference"><c>name:3</c></param>
    /// <param name="field">Where the request holds the text.</param>
    public static LlmOsException NoTokenizer(string reference, string field) =>
        new(ErrorCode.NoTokenizer, $"The model {reference} was imported without a tokenizer, so it cannot read text.")
        {
            Field = field,
            Hint = "Send token ids as the prompt of /v1/completions, or import the model together with its tokenizer.json.",
        };

    /// <summary>The refusal of a text that a model's tokenizer cannot turn into ids: it has no unknown token, or its expressions take too long.</summary>
    public static LlmOsException CannotEncode(TokenizerFormatException fault) =>
        new(ErrorCode.UnsupportedFormat, $"The model's tokenizer cannot encode this text: {fault.Message}", fault);
}
