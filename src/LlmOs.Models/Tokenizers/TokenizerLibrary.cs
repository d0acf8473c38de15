using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tokenizers;

/// <summary>The stored tokenizers, and those of models, by one name.</summary>
internal sealed class TokenizerLibrary(IDbContextFactory<LlmOsDb> databases, ArtifactStore store, TokenizerShelf shelf, ModelCatalogue catalogue, TimeProvider clock)
{
    /// <summary>The tokenizer that a name means: a stored one, or else that of a model.</summary>
    /// <exception cref="LlmOsException">404: neither has the name. 400: the model has no tokenizer.</exception>
    public async Task<IOffsetTokenizer> FindAsync(string name, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var files = await db.Tokenizers.Where(t => t.Name == name).SelectMany(t => t.Files).AsNoTracking().ToListAsync(cancel);
        if (files.Count > 0)
        {
            return await shelf.OfAsync(files.ConvertAll(f => f.ToView()), cancel)
                ?? throw new InvalidOperationException($"The tokenizer '{name}' was stored without a file that makes one.");
        }

        var model = await catalogue.FindAsync(name, cancel);
        return await shelf.OfAsync(model.Files, cancel)
            ?? throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {model.Reference} was imported without a tokenizer.") { Field = "model" };
    }

    /// <summary>Reads the files and keeps them under a name, in the place of what had it before.</summary>
    /// <param name="uploads">Published names, and where the contents lie now.</param>
    /// <exception cref="LlmOsException">400: they are no tokenizer that can be used; the message names the component.</exception>
    public async Task<TokenizerView> PutAsync(string name, IReadOnlyDictionary<string, string> uploads, CancellationToken cancel)
    {
        ModelName.Check(name);
        var tokenizer = Read(uploads);
        List<StoredTokenizerFile> files = [];
        foreach (var path in TokenizerFolder.FilesOf(uploads.Keys))
        {
            var blob = await store.PutFileAsync(uploads[path], cancel);
            files.Add(new StoredTokenizerFile { Path = path, Sha256 = blob.Sha256, Bytes = blob.Bytes });
        }

        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            return await StoredTokenizer.PutAsync(db, name, tokenizer, files, clock.GetUtcNow(), cancel);
        }
        catch (DbUpdateException failure) when (failure.IsUniqueViolation() || failure is DbUpdateConcurrencyException)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"The tokenizer '{name}' was put by somebody else at the same time.", failure) { Hint = "Put it again if yours is the one to keep." };
        }
    }

    private static IOffsetTokenizer Read(IReadOnlyDictionary<string, string> uploads)
    {
        try
        {
            return TokenizerFolder.Load(uploads);
        }
        catch (TokenizerFormatException fault)
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, fault.Message, fault) { Field = "file" };
        }
    }
}
