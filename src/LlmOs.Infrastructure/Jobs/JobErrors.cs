using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>What of a failure a job shows.</summary>
internal static class JobErrors
{
    private const int MaxMessageCharacters = 4_000;

    /// <summary>A refusal as it is; anything else as a bug, whose details stay in the log.</summary>
    public static JobError Of(Exception failure) => failure switch
    {
        LlmOsException refusal => new(refusal.Code.ToWord(), JobText.Storable(refusal.Message, MaxMessageCharacters), refusal.Detail, refusal.Hint),
        OutOfMemoryException => new(ErrorCode.OutOfMemory.ToWord(), "The host ran out of memory.", null, "Use a smaller model or batch, or a host with more memory."),
        _ when DatabaseFaults.AsRefusal(failure) is { } known => Of(known),
        _ => new(ErrorCode.InternalError.ToWord(), "The job ended through a fault of the server.", null, "The server's log names the cause beside the job's id."),
    };
}
