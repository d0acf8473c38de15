using System.ComponentModel.DataAnnotations;

namespace LlmOs.Server.Hosting;

/// <summary>Section <c>Database</c> of the configuration.</summary>
public sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>Minutes for which a start waits for another host that migrates, and for its own migrations.</summary>
    [Range(0.01, 10_080.0)]
    public double MigrationMinutes { get; set; } = 60;
}
