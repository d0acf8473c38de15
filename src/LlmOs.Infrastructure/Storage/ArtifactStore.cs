namespace LlmOs.Infrastructure.Storage;

/// <summary>A file of the store: its SHA-256 in lower-case hex is its name.</summary>
public sealed record Blob(string Sha256, long Bytes);
