using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry.Cards;

/// <summary>Finds a model's card: the one that was written here, else the README.md of the version that its name answers with.</summary>
internal static class CardSource
{
    private const string ReadmeFile = "README.md";

    /// <exception cref="LlmOsException">404: the model has neither.</exception>
    public static async Task<(string Markdown, string Source)> ReadAsync(LlmOsDb db, ArtifactStore store, ModelView model, CancellationToken cancel)
    {
        if (await db.Models.Where(m => m.Name == model.Name).Select(m => m.Card).SingleOrDefaultAsync(cancel) is { } card)
        {
            return (card, "model");
        }

        if (model.Latest is { Version: var number })
        {
            var readme = await db.ModelVersions.Where(v => v.Model.Name == model.Name && v.Number == number)
                .SelectMany(v => v.Files).Where(f => f.Path == ReadmeFile).Select(f => f.Sha256).SingleOrDefaultAsync(cancel);
            if (readme is not null && store.Contains(readme))
            {
                return (await ReadTextAsync(store.PathOf(readme), cancel), $"{model.Name}:{number}");
            }
        }

        throw new LlmOsException(ErrorCode.NotFound, $"The model '{model.Name}' has no card.") { Hint = "PUT one, or add a README.md to what is imported." };
    }

    /// <summary>As much of a file as a card may have; bytes that are no UTF-8 come as U+FFFD.</summary>
    public static async Task<string> ReadTextAsync(string path, CancellationToken cancel)
    {
        using var reader = new StreamReader(path);
        var buffer = new char[ModelCards.MaxCharacters];
        var length = await reader.ReadBlockAsync(buffer.AsMemory(), cancel);
        return new string(buffer, 0, length).Replace("\0", "\uFFFD", StringComparison.Ordinal);
    }
}
