using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Prompts;

/// <summary>Tokenizers that were read lately, by the hashes of their files.</summary>
internal sealed class TokenizerShelf(ArtifactStore store)
{
    private const int MaxKept = 8;

    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, IOffsetTokenizer Tokenizer)> _recent = new();

    /// <summary>The tokenizer of a model; null when it was imported without one.</summary>
    public async Task<ITokenizer?> OfAsync(ServableModel model, CancellationToken cancel) => await OfAsync(model.Files, cancel);

    /// <summary>The tokenizer among stored files; null when there is none.</summary>
    public async Task<IOffsetTokenizer?> OfAsync(IReadOnlyList<ModelFileView> files, CancellationToken cancel)
    {
        var names = TokenizerFolder.FilesOf(files.Select(f => f.Path));
        if (names.Count == 0)
        {
            return null;
        }

        var parts = names.Select(name => files.First(f => f.Path == name)).ToList();
        var key = string.Join(' ', parts.Select(f => $"{f.Path} {f.Sha256}"));
        if (Take(key) is { } known)
        {
            return known;
        }

        foreach (var part in parts)
        {
            await store.VerifyAsync(part.Sha256, cancel);
        }

        var read = TokenizerFolder.Load(parts.ToDictionary(f => f.Path, f => store.PathOf(f.Sha256)));
        lock (_gate)
        {
            _recent.AddFirst((key, read));
            while (_recent.Count > MaxKept)
            {
                _recent.RemoveLast();
            }
        }

        return read;
    }

    private IOffsetTokenizer? Take(string key)
    {
        lock (_gate)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Key == key)
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    return node.Value.Tokenizer;
                }
            }

            return null;
        }
    }
}
