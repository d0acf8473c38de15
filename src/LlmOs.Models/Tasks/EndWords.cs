using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>Why a text ended, in the words of text-generation-inference.</summary>
internal static class EndWords
{
    /// <param name="reply">A text of one token at least.</param>
    public static string Of(Reply reply) => reply.Pieces[^1] switch
    {
        { ByStopText: true } => "stop_sequence",
        { IsEndToken: true } => "eos_token",
        _ => "length",
    };
}
