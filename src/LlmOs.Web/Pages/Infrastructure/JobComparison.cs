using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Web.Pages.Infrastructure;

/// <summary>In which settings jobs differ.</summary>
internal static class JobComparison
{
    /// <summary>How many runs can be told apart in one drawing.</summary>
    public const int MaxJobs = 6;

    /// <returns>Each setting that is not the same everywhere, by its path, with its value in each job; a dash where a job lacks it.</returns>
    public static IReadOnlyList<(string Path, IReadOnlyList<string> Values)> Differences(IReadOnlyList<JobView> jobs)
    {
        var settings = jobs.Select(job => Flatten("", job.Spec).ToDictionary(s => s.Path, s => s.Value, StringComparer.Ordinal)).ToList();
        return
        [
            .. settings.SelectMany(s => s.Keys).Distinct(StringComparer.Ordinal)
                .Select(path => (path, Values: (IReadOnlyList<string>)[.. settings.Select(s => s.GetValueOrDefault(path, "–"))]))
                .Where(row => row.Values.Distinct(StringComparer.Ordinal).Count() > 1),
        ];
    }

    private static IEnumerable<(string Path, string Value)> Flatten(string path, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(field => Flatten(path.Length == 0 ? field.Name : $"{path}.{field.Name}", field.Value)),
        JsonValueKind.Null or JsonValueKind.Undefined => [],
        _ => [(path, value.ToString())],
    };
}
