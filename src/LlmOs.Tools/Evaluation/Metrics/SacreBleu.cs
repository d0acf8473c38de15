namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>How sacreBLEU says how a score was made.</summary>
internal static class SacreBleu
{
    /// <summary>The version whose scores these are.</summary>
    public const string Version = "2.6.0";

    public static string Signature(IReadOnlyList<MetricRow> rows, params (string Key, string Value)[] parts)
    {
        var counts = rows.Select(row => row.References.Count).Distinct().ToList();
        return string.Join('|', [
            $"nrefs:{(counts.Count == 1 ? $"{counts[0]}" : "var")}",
            .. parts.Select(part => $"{part.Key}:{part.Value}"),
            $"version:{Version}",
        ]);
    }
}
