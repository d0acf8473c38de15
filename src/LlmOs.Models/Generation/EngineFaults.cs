using LlmOs.Formats;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Import;

namespace LlmOs.Models.Generation;

/// <summary>Faults of the engine, of tokenizers and of stored files, wherever a request or its stream meets them.</summary>
internal sealed class EngineFaults : IKnownFaults
{
    public LlmOsException? AsRefusal(Exception fault) => fault switch
    {
        TokenizerFormatException format => Refused.CannotEncode(format),
        // A version that was stored before its files were checked as they are today.
        ModelFormatException format => FormatRefusal.Of(format),
        _ => InferenceFaults.AsRefusal(fault),
    };
}
