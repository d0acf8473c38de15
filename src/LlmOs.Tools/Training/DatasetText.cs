using System.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Training;

/// <summary>A column of a stored version as the text of a training: each row is a document.</summary>
/// <param name="Split">Its rows alone are read; null: all.</param>
/// <param name="Bytes">About how much text it is.</param>
internal sealed record DatasetText(DatasetVersion Version, int Column, string? Split, long Bytes)
{
    private const string UsualColumn = "text";
    private const string TrainingSplit = "train";

    /// <exception cref="LlmOsException">There is no such version, or it has no such column of text.</exception>
    public static async Task<DatasetText> FindAsync(LlmOsDb db, string reference, string? column, CancellationToken cancel)
    {
        var version = await DatasetRegistry.ResolveAsync(db, reference, "dataset", cancel);
        var schema = RowSchema.Of(version.ReadColumns());
        var name = column ?? UsualColumn;
        var place = schema.Find(name);
        if (place < 0 || schema.Columns[place].Type != ColumnType.Text)
        {
            throw LlmOsException.Invalid("column", $"column: {version.Ref} has no column of text named '{Shown.Of(name)}'; its columns are {string.Join(", ", version.ReadColumns().Take(20).Select(c => $"{Shown.Of(c.Name)} ({c.Type})"))}.");
        }

        const int BytesACharacter = 2; // between that of English and that of Chinese
        var statistics = version.ReadStatistics().Columns[place];
        var characters = (statistics.MeanLength ?? 0) * (version.Rows - statistics.Nulls);
        return new DatasetText(version, place, version.Files.Any(f => f.Split == TrainingSplit) ? TrainingSplit : null, BytesACharacter * (long)characters);
    }

    /// <summary>Writes the documents as the trainer reads them; a later attempt of the same job finds the file there.</summary>
    /// <param name="folder">Kept between the attempts of the job.</param>
    public async Task<string> WriteAsync(RowPages pages, string folder, CancellationToken cancel)
    {
        var path = Path.Combine(folder, "dataset.txt");
        if (File.Exists(path))
        {
            return path;
        }

        var part = path + ".part";
        await using (var writer = new StreamWriter(part, false, new UTF8Encoding(false), 1 << 16))
        {
            await foreach (var row in pages.ReadAsync(Version, Split, 0, cancel))
            {
                if (row.Values[Column] is string { Length: > 0 } text)
                {
                    await writer.WriteAsync(text.AsMemory(), cancel);
                    await writer.WriteAsync(TrainingPlan.EndOfText);
                }
            }
        }

        File.Move(part, path, overwrite: true);
        return path;
    }
}
