using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tokenizers;

/// <summary>A tokenizer that stands alone, without a model. Putting it again replaces its files.</summary>
public sealed class StoredTokenizer
{
    public long Id { get; init; }

    /// <summary>By the rules of a model's name.</summary>
    public required string Name { get; init; }

    /// <summary><c>BPE</c>, <c>Unigram</c>, <c>WordPiece</c> or <c>WordLevel</c>.</summary>
    public required string Kind { get; set; }

    /// <summary>Tokens, added ones included.</summary>
    public required int Vocabulary { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public List<StoredTokenizerFile> Files { get; init; } = [];

    /// <summary>As the API shows it; needs <see cref="Files"/>.</summary>
    public TokenizerView ToView() => new(
        Name, Kind, Vocabulary, [.. Files.OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => f.ToView())], CreatedAt, UpdatedAt);

    /// <summary>Keeps a tokenizer under a name, in the place of what had it before.</summary>
    /// <param name="files">What it was read from.</param>
    public static async Task<TokenizerView> PutAsync(
        LlmOsDb db, string name, ITokenizer tokenizer, IReadOnlyList<StoredTokenizerFile> files, DateTimeOffset now, CancellationToken cancel)
    {
        var stored = await db.Tokenizers.Include(t => t.Files).SingleOrDefaultAsync(t => t.Name == name, cancel);
        if (stored is null)
        {
            stored = new StoredTokenizer { Name = name, Kind = tokenizer.Kind, Vocabulary = tokenizer.VocabularySize, CreatedAt = now, UpdatedAt = now };
            db.Add(stored);
        }
        else
        {
            (stored.Kind, stored.Vocabulary, stored.UpdatedAt) = (tokenizer.Kind, tokenizer.VocabularySize, now);
            stored.Files.Clear();
        }

        stored.Files.AddRange(files);
        await db.SaveChangesAsync(cancel);
        return stored.ToView();
    }
}

/// <summary>A file of a tokenizer: its published name, and the blob that holds it.</summary>
public sealed class StoredTokenizerFile
{
    public long Id { get; init; }

    public long TokenizerId { get; init; }

    public required string Path { get; init; }

    public required string Sha256 { get; init; }

    public required long Bytes { get; init; }

    public ModelFileView ToView() => new(Path, Sha256, Bytes);
}

internal sealed class TokenizerTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<StoredTokenizer>(tokenizer =>
        {
            tokenizer.ToTable("tokenizers");
            tokenizer.HasIndex(t => t.Name).IsUnique();
            tokenizer.Property(t => t.Name).HasMaxLength(160);
            tokenizer.Property(t => t.Kind).HasMaxLength(32);
            tokenizer.HasMany(t => t.Files).WithOne().HasForeignKey(f => f.TokenizerId).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<StoredTokenizerFile>(file =>
        {
            file.ToTable("tokenizer_files");
            file.HasIndex(f => new { f.TokenizerId, f.Path }).IsUnique();
            file.HasIndex(f => f.Sha256);
            file.Property(f => f.Path).HasMaxLength(64);
            file.Property(f => f.Sha256).HasMaxLength(64);
        });
    }
}

/// <summary>The tables of the stored tokenizers.</summary>
public static class TokenizerQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<StoredTokenizer> Tokenizers => db.Set<StoredTokenizer>();

        public DbSet<StoredTokenizerFile> TokenizerFiles => db.Set<StoredTokenizerFile>();
    }
}
