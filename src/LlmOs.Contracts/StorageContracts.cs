namespace LlmOs.Contracts;

/// <summary>Where an upload stands.</summary>
public enum UploadState
{
    /// <summary>More bytes are awaited.</summary>
    Receiving,

    /// <summary>Whole, and its hash is known.</summary>
    Finished,
}
