using LlmOs.Engine.Text;
using LlmOs.Engine.Text.Tokenizers;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Serving;

/// <summary>Tokenizers that were read lately, by the hash of their file.</summary>
internal sealed class TokenizerShelf(ArtifactStore store)
{
    private const int Most = 8;
    private const string TokenizerFile = "tokenizer.json";

    private readonly Lock _gate = new();
    private readonly LinkedList<(string Sha256, ITokenizer Tokenizer)> _recent = new();

    /// <summary>The tokenizer of a model; null when it was imported without one.</summary>
    public async Task<ITokenizer?> OfAsync(ServableModel model, CancellationToken cancel)
    {
        if (model.Files.FirstOrDefault(f => f.Path == TokenizerFile)?.Sha256 is not { } sha256)
        {
            return null;
        }

        if (Take(sha256) is { } known)
        {
            return known;
        }

        await store.VerifyAsync(sha256, cancel);
        var read = TokenizerJson.Load(store.PathOf(sha256));
        lock (_gate)
        {
            _recent.AddFirst((sha256, read));
            while (_recent.Count > Most)
            {
                _recent.RemoveLast();
            }
        }

        return read;
    }

    private ITokenizer? Take(string sha256)
    {
        lock (_gate)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Sha256 == sha256)
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
