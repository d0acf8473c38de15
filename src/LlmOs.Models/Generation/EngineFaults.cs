using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Models.Generation;

/// <summary>Faults of the engine and of tokenizers, wherever a request or its stream meets them.</summary>
internal sealed class EngineFaults : IKnownFaults
{
    public LlmOsException? AsRefusal(Exception fault) => fault is TokenizerFormatException format
        ? new LlmOsException(ErrorCode.UnsupportedFormat, $"The model's tokenizer cannot encode this text: {format.Message}", format)
        : InferenceFaults.AsRefusal(fault);
}
