namespace LlmOs.Models.Loading;

/// <summary>Why a value was unloaded.</summary>
internal enum UnloadReason
{
    /// <summary>Another one needed its memory, and it was the idle one that was used longest ago.</summary>
    MadeRoom,

    /// <summary>It was idle for as long as it was to be kept.</summary>
    Expired,

    /// <summary>Somebody asked for it.</summary>
    Asked,

    /// <summary>It was deleted or archived.</summary>
    Gone,

    /// <summary>It ended by itself.</summary>
    Ended,

    /// <summary>The process stops.</summary>
    Closing,
}
