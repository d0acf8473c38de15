using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Http.Dialects;

/// <summary>Which dialect a request speaks: its endpoint's, else the one whose paths it uses, else the platform's own.</summary>
public sealed class KnownDialects
{
    private readonly List<IDialect> _dialects = [];

    /// <summary>The dialects beside the platform's own.</summary>
    public IReadOnlyList<IDialect> All => _dialects;

    /// <summary>Makes the paths of a dialect known. Before the first request.</summary>
    /// <exception cref="InvalidOperationException">Another dialect has one of its prefixes.</exception>
    public void Add(IDialect dialect)
    {
        foreach (var prefix in dialect.Prefixes)
        {
            if (_dialects.Find(other => other.Prefixes.Contains(prefix)) is { } taken)
            {
                throw new InvalidOperationException($"The dialects '{taken.Name}' and '{dialect.Name}' both claim the path {prefix}.");
            }
        }

        _dialects.Add(dialect);
    }

    /// <summary>The dialect in which a request is answered.</summary>
    public IDialect Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<IDialect>() ?? OfPath(http.Request.Path);

    /// <summary>The dialect with the longest prefix of the path; case does not count, as it does not in routes.</summary>
    public IDialect OfPath(PathString path)
    {
        IDialect found = PlatformDialect.Instance;
        var longest = 0;
        foreach (var dialect in _dialects)
        {
            foreach (var prefix in dialect.Prefixes)
            {
                if (prefix.Value!.Length > longest && path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
                {
                    (found, longest) = (dialect, prefix.Value.Length);
                }
            }
        }

        return found;
    }
}
