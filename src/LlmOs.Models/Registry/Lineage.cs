using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>Where a version came from and what was made of it, as a graph: its ancestors, its descendants, and what each was made with.</summary>
internal static class Lineage
{
    /// <summary>Versions in one graph; past them it says that it is cut.</summary>
    public const int MaxVersions = 200;

    public static async Task<LineageGraph> OfAsync(LlmOsDb db, ModelVersion start, CancellationToken cancel)
    {
        var graph = new Builder();
        graph.AddVersion(start.Ref, start);
        await AncestorsAsync(db, start, graph, cancel);
        await DescendantsAsync(db, start, graph, cancel);
        return graph.ToGraph(start.Ref);
    }

    private static async Task AncestorsAsync(LlmOsDb db, ModelVersion start, Builder graph, CancellationToken cancel)
    {
        var at = start;
        while (at.LineageParent is { } parent && !graph.IsFull)
        {
            var version = await StoredAsync(db, parent, cancel);
            graph.AddEdge(NodeId("version", parent), NodeId("version", at.Ref), (at.LineageRelation?.ToWord()) ?? "parent");
            if (!graph.AddVersion(parent, version) || version is null)
            {
                return; // not in this registry, or an imported lineage that refers to itself
            }

            at = version;
        }
    }

    private static async Task DescendantsAsync(LlmOsDb db, ModelVersion start, Builder graph, CancellationToken cancel)
    {
        var next = new Queue<string>([start.Ref]);
        while (next.TryDequeue(out var parent) && !graph.IsFull)
        {
            var children = await db.ModelVersions.AsNoTracking().Include(v => v.Model).Where(v => v.LineageParent == parent)
                .OrderBy(v => v.Id).Take(MaxVersions).ToListAsync(cancel);
            foreach (var child in children)
            {
                graph.AddEdge(NodeId("version", parent), NodeId("version", child.Ref), (child.LineageRelation?.ToWord()) ?? "parent");
                if (graph.AddVersion(child.Ref, child))
                {
                    next.Enqueue(child.Ref);
                }
            }
        }
    }

    private static async Task<ModelVersion?> StoredAsync(LlmOsDb db, string reference, CancellationToken cancel)
    {
        var at = reference.LastIndexOf(':');
        if (at < 0 || !int.TryParse(reference[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        var name = reference[..at];
        return await db.ModelVersions.AsNoTracking().Include(v => v.Model).SingleOrDefaultAsync(v => v.Model.Name == name && v.Number == number, cancel);
    }

    private static string NodeId(string kind, string name) => $"{kind}/{name}";

    private sealed class Builder
    {
        private readonly Dictionary<string, LineageNode> _nodes = [];
        private readonly HashSet<LineageEdge> _edges = [];
        private int _versions;

        public bool IsFull { get; private set; }

        public void AddEdge(string from, string to, string relation) => _edges.Add(new LineageEdge(from, to, relation));

        /// <summary>False when the version is there already or there is no room.</summary>
        public bool AddVersion(string reference, ModelVersion? version)
        {
            var id = NodeId("version", reference);
            if (_nodes.ContainsKey(id))
            {
                return false;
            }

            if (_versions == MaxVersions)
            {
                IsFull = true;
                return false;
            }

            _versions++;
            _nodes[id] = new LineageNode(id, "version", reference, version is not null, version?.State.ToWord());
            if (version is not null)
            {
                AddOrigins(id, version);
            }

            return true;
        }

        public LineageGraph ToGraph(string root) => new(
            NodeId("version", root),
            [.. _nodes.Values.OrderBy(n => n.Id, StringComparer.Ordinal)],
            [.. _edges.Where(e => _nodes.ContainsKey(e.From) && _nodes.ContainsKey(e.To)).OrderBy(e => e.From, StringComparer.Ordinal).ThenBy(e => e.To, StringComparer.Ordinal)],
            IsFull);

        private void AddOrigins(string id, ModelVersion version)
        {
            if (version.LineageSource is { } source)
            {
                Add("source", source, id, "imported");
            }

            if (version.LineageJob is { } job)
            {
                Add("job", job, id, "made");
            }

            foreach (var dataset in JsonSerializer.Deserialize<List<string>>(version.LineageDatasets, LlmOsJson.Options)!)
            {
                Add("dataset", dataset, id, "trained_on");
            }

            foreach (var evaluation in Evaluations(version))
            {
                Add("evaluation", evaluation, id, "judged");
            }
        }

        private void Add(string kind, string name, string version, string relation)
        {
            var id = NodeId(kind, name);
            _nodes.TryAdd(id, new LineageNode(id, kind, name, true, null));
            AddEdge(id, version, relation);
        }

        /// <summary>A metric that an evaluation measured names it in <c>evaluation</c>.</summary>
        private static IEnumerable<string> Evaluations(ModelVersion version) =>
            JsonSerializer.Deserialize<List<JsonElement>>(version.Metrics, LlmOsJson.Options)!
                .Where(m => m.ValueKind == JsonValueKind.Object && m.TryGetProperty("evaluation", out var id) && id.ValueKind == JsonValueKind.String)
                .Select(m => m.GetProperty("evaluation").GetString()!)
                .Distinct(StringComparer.Ordinal);
    }
}
