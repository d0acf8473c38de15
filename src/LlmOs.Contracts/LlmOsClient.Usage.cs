using System.Globalization;

namespace LlmOs.Contracts;

/// <content>What runs of models cost.</content>
public sealed partial class LlmOsClient
{
    /// <summary>Records of single runs, the newest first.</summary>
    public Task<Page<UsageView>> ListUsageAsync(UsageFilter filter, int limit, string? after, CancellationToken cancel) => GetAsync<Page<UsageView>>(
        "api/v1/usage" + Query([.. Parts(filter), ("limit", limit.ToString(CultureInfo.InvariantCulture)), ("after", after)]), cancel);

    /// <summary>Records added up.</summary>
    /// <param name="by">model, key, user, app or day.</param>
    public Task<UsageSummary> SummarizeUsageAsync(string by, UsageFilter filter, int limit, CancellationToken cancel) => GetAsync<UsageSummary>(
        "api/v1/usage/summary" + Query([("by", by), .. Parts(filter), ("limit", limit.ToString(CultureInfo.InvariantCulture))]), cancel);

    private static (string Name, string? Value)[] Parts(UsageFilter filter) =>
    [
        ("since", filter.Since?.ToString("O", CultureInfo.InvariantCulture)),
        ("until", filter.Until?.ToString("O", CultureInfo.InvariantCulture)),
        ("model", filter.Model),
        ("key", filter.Key),
    ];
}

/// <summary>Which records of usage are meant; what is null does not count.</summary>
/// <param name="Since">Runs that ended then or later.</param>
/// <param name="Until">Runs that ended before.</param>
/// <param name="Model">A version, <c>name:3</c>, or a name, which stands for all its versions.</param>
/// <param name="Key">The id of a key.</param>
public sealed record UsageFilter(DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? Model = null, string? Key = null);
