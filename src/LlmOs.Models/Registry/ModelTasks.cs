using LlmOs.Models.Zoo;

namespace LlmOs.Models.Registry;

/// <summary>The tasks that models are for, in Hugging Face's words.</summary>
internal static class ModelTasks
{
    /// <summary>The tasks that models of a class are for.</summary>
    public static IReadOnlyList<string> Of(string className) => [.. Architectures.All.Where(a => a.ClassName == className).Select(a => a.Task).Distinct()];

    public static IReadOnlyList<string> All { get; } = [.. Architectures.All.Select(a => a.Task).Distinct().Order(StringComparer.Ordinal)];
}
