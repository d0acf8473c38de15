using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>Something that uses a model by a model string.</summary>
/// <param name="Kind"><c>app</c>, <c>job</c>, ...</param>
/// <param name="Model">The string, as a request would write it.</param>
public sealed record ModelUse(string Kind, string Id, string Model);

/// <summary>Tells the registry of uses that it cannot see, such as those of a tier above. Register as a singleton.</summary>
public interface IModelUsers
{
    /// <summary>The uses whose model string begins with a name.</summary>
    Task<IReadOnlyList<ModelUse>> ListAsync(LlmOsDb db, string name, CancellationToken cancel);
}

/// <summary>Finds what refers to a model or a version, so that nothing is archived or deleted under its users.</summary>
internal sealed class ModelUses(IEnumerable<IModelUsers> users)
{
    /// <summary>References named in a refusal.</summary>
    private const int MaxNamed = 10;

    /// <exception cref="LlmOsException">409: something refers to the version; the message names it.</exception>
    public async Task RequireUnusedAsync(LlmOsDb db, RegisteredModel model, int number, string verb, CancellationToken cancel)
    {
        List<string> found =
        [
            .. (await db.ModelAliases.Where(a => a.ModelId == model.Id && a.Version == number).OrderBy(a => a.Name).Select(a => a.Name).ToListAsync(cancel)).Select(a => $"alias '{a}'"),
            .. await ChildrenAsync(db, model, number, cancel),
            .. await UsersAsync(db, model, number, cancel),
        ];
        Refuse(found, $"{model.Name}:{number}", verb);
    }

    /// <summary>As above for a whole model. Its alias <c>latest</c>, which every publication sets, does not count; versions made from each other neither.</summary>
    public async Task RequireUnusedAsync(LlmOsDb db, RegisteredModel model, string verb, CancellationToken cancel)
    {
        List<string> found =
        [
            .. (await db.ModelAliases.Where(a => a.ModelId == model.Id && a.Name != ModelAlias.Latest).OrderBy(a => a.Name).Select(a => a.Name).ToListAsync(cancel)).Select(a => $"alias '{a}'"),
            .. await ChildrenAsync(db, model, null, cancel),
            .. await UsersAsync(db, model, null, cancel),
        ];
        Refuse(found, model.Name, verb);
    }

    private static async Task<IEnumerable<string>> ChildrenAsync(LlmOsDb db, RegisteredModel model, int? number, CancellationToken cancel)
    {
        var children = number is { } one
            ? db.ModelVersions.Where(v => v.LineageParent == $"{model.Name}:{one}")
            : db.ModelVersions.Where(v => v.ModelId != model.Id && v.LineageParent != null && v.LineageParent.StartsWith(model.Name + ":"));
        var rows = await children.OrderBy(v => v.Id).Take(MaxNamed + 1).Select(v => new { v.Model.Name, v.Number, v.LineageRelation }).ToListAsync(cancel);
        return rows.Select(v => $"{(v.LineageRelation == LineageRelation.Adapter ? "adapter" : "child")} '{v.Name}:{v.Number}'");
    }

    private async Task<IReadOnlyList<string>> UsersAsync(LlmOsDb db, RegisteredModel model, int? number, CancellationToken cancel)
    {
        // An adapter is used through its base's name as well: base+adapter.
        var bases = await db.ModelVersions.Where(v => v.ModelId == model.Id && v.LineageRelation == LineageRelation.Adapter && v.LineageParent != null).Select(v => v.LineageParent!).ToListAsync(cancel);
        List<string> found = [];
        Dictionary<string, bool> known = new(StringComparer.Ordinal); // a thousand apps of one model ask for it once
        foreach (var user in users)
        {
            foreach (var name in bases.Select(b => b[..b.LastIndexOf(':')]).Prepend(model.Name).Distinct(StringComparer.Ordinal))
            {
                foreach (var use in await user.ListAsync(db, name, cancel))
                {
                    if (found.Count <= MaxNamed && await NamesAsync(use.Model) && !found.Contains($"{use.Kind} '{use.Id}'"))
                    {
                        found.Add($"{use.Kind} '{use.Id}'");
                    }
                }
            }
        }

        return found;

        async Task<bool> NamesAsync(string text)
        {
            foreach (var part in text.Split('+', 2))
            {
                if (!known.TryGetValue(part, out var isIt))
                {
                    var version = await ModelResolver.FindAsync(db, part, cancel);
                    known[part] = isIt = version?.ModelId == model.Id && (number is null || version.Number == number);
                }

                if (isIt)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private static void Refuse(List<string> found, string what, string verb)
    {
        if (found.Count == 0)
        {
            return;
        }

        var named = string.Join(", ", found.Take(MaxNamed)) + (found.Count > MaxNamed ? " and more" : "");
        throw new LlmOsException(ErrorCode.Conflict, $"{what} cannot be {verb}: it is referred to by {named}.") { Hint = "Point those elsewhere, or delete them, first." };
    }
}

/// <summary>Jobs that have not ended and name a model in their specification.</summary>
internal sealed class JobModelUsers(JobSpecs specs) : IModelUsers
{
    public async Task<IReadOnlyList<ModelUse>> ListAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        List<ModelUse> uses = [];
        await foreach (var (id, spec) in specs.UnfinishedAsync(db, name, cancel))
        {
            uses.AddRange(Strings(spec).Where(text => text.StartsWith(name, StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Select(text => new ModelUse("job", id, text)));
        }

        return uses;
    }

    /// <summary>Every text of a specification but the name under which the result will be stored.</summary>
    private static IEnumerable<string> Strings(string spec)
    {
        using var document = JsonDocument.Parse(spec);
        return [.. Walk(document.RootElement)];

        static IEnumerable<string> Walk(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().Where(p => p.Name != "name").SelectMany(p => Walk(p.Value)),
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Walk),
            JsonValueKind.String => [element.GetString()!],
            _ => [],
        };
    }
}
