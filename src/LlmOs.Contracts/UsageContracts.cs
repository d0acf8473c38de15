namespace LlmOs.Contracts;

/// <summary>What one run of a model cost, counted by the engine that did it.</summary>
/// <param name="CreatedAt">When it ended.</param>
/// <param name="Operation">completion, chat, embedding, scoring, the name of a pipeline's task, parity or sample.</param>
/// <param name="Model">The version that ran, <c>name:3</c>; of a model in training its name.</param>
/// <param name="PromptTokens">Tokens read, each prompt once.</param>
/// <param name="CachedTokens">Those of them that did not have to be computed again.</param>
/// <param name="GeneratedTokens">Tokens made until the engine stopped, read or not; of a beam search those of all beams.</param>
/// <param name="KeyId">The key that was presented.</param>
/// <param name="UserId">The user who had signed in.</param>
/// <param name="App">The app that asked.</param>
/// <param name="JobId">The job that asked.</param>
public sealed record UsageView(
    string Id,
    DateTimeOffset CreatedAt,
    string Operation,
    string Model,
    long PromptTokens,
    long CachedTokens,
    long GeneratedTokens,
    double QueueMs,
    double PromptMs,
    double DecodeMs,
    double LoadMs,
    string? KeyId,
    string? UserId,
    string? App,
    string? JobId);

/// <summary>What many runs cost together.</summary>
/// <param name="By">model, key, user, app or day (of UTC).</param>
/// <param name="Items">Those with the most tokens first; days from the newest on.</param>
/// <param name="Total">Of all runs that were asked for, also of those that <see cref="Items"/> had no room for.</param>
public sealed record UsageSummary(string By, IReadOnlyList<UsageGroup> Items, UsageTotals Total);

/// <param name="Value">The model, key, user, app or day; null for runs without one.</param>
public sealed record UsageGroup(string? Value, UsageTotals Totals);

/// <param name="Requests">Runs.</param>
public sealed record UsageTotals(long Requests, long PromptTokens, long CachedTokens, long GeneratedTokens, double QueueMs, double PromptMs, double DecodeMs);
