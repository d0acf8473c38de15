using System.Reflection;

namespace LlmOs.Architecture.Tests;

/// <summary>The arrows of docs/architecture.md.</summary>
internal static class Tiers
{
    /// <summary>The projects that each project refers to by itself.</summary>
    public static IReadOnlyDictionary<string, string[]> References { get; } = new Dictionary<string, string[]>
    {
        ["LlmOs.Contracts"] = [],
        ["LlmOs.Engine"] = [],
        ["LlmOs.Formats"] = [],
        ["LlmOs.Infrastructure"] = ["LlmOs.Contracts"],
        ["LlmOs.Models"] = ["LlmOs.Infrastructure", "LlmOs.Engine", "LlmOs.Formats"],
        ["LlmOs.Tools"] = ["LlmOs.Models"],
        ["LlmOs.Apps"] = ["LlmOs.Tools"],
        ["LlmOs.Trainer"] = ["LlmOs.Tools"],
        ["LlmOs.Web"] = ["LlmOs.Contracts"],
        ["LlmOs.Server"] = ["LlmOs.Apps", "LlmOs.Web", "LlmOs.Trainer"],
        ["LlmOs.Cli"] = ["LlmOs.Contracts"],
    };

    /// <summary>Projects whose types these tests can read: the server loads them.</summary>
    public static IReadOnlyList<string> Loaded { get; } = [.. References.Keys.Except(["LlmOs.Trainer", "LlmOs.Cli"])];

    /// <summary>Features within a project, by namespace, and what their types may not name.</summary>
    public static IReadOnlyDictionary<string, string[]> Features { get; } = new Dictionary<string, string[]>
    {
        ["LlmOs.Infrastructure.Http"] = ["LlmOs.Infrastructure.Compute", "LlmOs.Infrastructure.Jobs", "LlmOs.Infrastructure.Network"],
        ["LlmOs.Infrastructure.Network"] = ["LlmOs.Infrastructure.Access", "LlmOs.Infrastructure.Compute", "LlmOs.Infrastructure.Jobs", "LlmOs.Infrastructure.Storage"],
        ["LlmOs.Models.Zoo"] = ["LlmOs.Models.Registry", "LlmOs.Models.Import", "LlmOs.Models.Loading", "LlmOs.Models.Prompts", "LlmOs.Models.Generation", "LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Registry"] = ["LlmOs.Models.Loading", "LlmOs.Models.Prompts", "LlmOs.Models.Generation", "LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Import"] = ["LlmOs.Models.Prompts", "LlmOs.Models.Generation", "LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Loading"] = ["LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Prompts"] = ["LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Generation"] = ["LlmOs.Models.Tasks", "LlmOs.Models.Dialects"],
        ["LlmOs.Models.Tasks"] = ["LlmOs.Models.Dialects"],
        ["LlmOs.Models.Tokenizers"] = ["LlmOs.Models.Tasks", "LlmOs.Models.Dialects", "LlmOs.Models.Generation"],
        ["LlmOs.Tools.Training"] = ["LlmOs.Tools.Evaluation"],
        ["LlmOs.Tools.Evaluation"] = ["LlmOs.Tools.Training"],
        ["LlmOs.Apps.Templates"] = ["LlmOs.Apps.Studio", "LlmOs.Apps.Running"],
    };

    /// <summary>Libraries from elsewhere, and the projects that may name them.</summary>
    public static IReadOnlyDictionary<string, string[]> Libraries { get; } = new Dictionary<string, string[]>
    {
        ["Microsoft.ML.OnnxRuntime"] = ["LlmOs.Engine"],
        ["Microsoft.EntityFrameworkCore"] = ["LlmOs.Infrastructure", "LlmOs.Models", "LlmOs.Tools", "LlmOs.Apps", "LlmOs.Server"],
        ["MudBlazor"] = ["LlmOs.Web"],
        ["Microsoft.AspNetCore"] = ["LlmOs.Infrastructure", "LlmOs.Models", "LlmOs.Tools", "LlmOs.Apps", "LlmOs.Web", "LlmOs.Server"],
        ["Swashbuckle"] = ["LlmOs.Server"],
        ["Serilog"] = ["LlmOs.Server"],
        ["OpenTelemetry"] = ["LlmOs.Server"],
    };

    public static Assembly Assembly(string project) => System.Reflection.Assembly.Load(project);

    /// <summary>The project a namespace belongs to.</summary>
    public static string ProjectOf(string name) => string.Join('.', name.Split('.').Take(2));

    /// <summary>What a project may name: its references and theirs.</summary>
    public static IReadOnlySet<string> Reachable(string project)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(References[project]);
        while (open.TryPop(out var next))
        {
            if (reached.Add(next))
            {
                Array.ForEach(References[next], open.Push);
            }
        }

        return reached;
    }
}
