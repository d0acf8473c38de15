using System.Text.Json;

namespace LlmOs.Contracts.OpenAi;

/// <summary>Texts that go to a model.</summary>
internal static class RequestTexts
{
    /// <summary>A string of the request. U+0000 is a character like any other to a tokenizer; half a surrogate pair is none.</summary>
    /// <param name="part">Where it lies below the value that is read; empty for the value itself.</param>
    public static string Read(ref Utf8JsonReader reader, string part = "")
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new JsonPartException(part, RequestText.LoneSurrogate);
        }
    }
}
