using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Import.Sources;
using LlmOs.Tools.Datasets.Reading;
using LlmOs.Tools.Datasets.Rows;
using LlmOs.Tools.Tokenizers;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Datasets;

/// <summary>
/// The job <c>dataset</c>: files become a version of a data set. A file is read twice, first into the job's folder, since only its
/// last row tells the columns; neither pass holds more than a group of rows. Whatever fails, nothing of it is listed.
/// </summary>
internal sealed class DatasetImportKind(IDbContextFactory<LlmOsDb> databases, SourceDoor door, DatasetRegistry registry) : JobKind<DatasetImportRequest>
{
    private const double ReadShare = 0.6;

    /// <summary>Rows between two reports.</summary>
    private const int ReportEvery = 10_000;

    /// <summary>Kinds of rows come before plain text, which may be a read-me.</summary>
    private static readonly string[][] Preferred =
        [[SourceFormat.Parquet], [SourceFormat.JsonLines, SourceFormat.Csv, SourceFormat.Tsv, SourceFormat.Json, SourceFormat.Conll], [SourceFormat.Text]];

    public override string Word => "dataset";

    public override async Task<DatasetImportRequest> CheckAsync(DatasetImportRequest request, CancellationToken cancel)
    {
        var name = DatasetName.Check(request.Dataset, "dataset");
        if (request.Format is { } format)
        {
            FieldCheck.OneOf("format", format, SourceFormat.All);
        }

        TextFile.CheckEncoding(request.Encoding);
        FieldCheck.That(
            request.Delimiter is not { } delimiter || (delimiter.Length == 1 && delimiter[0] is >= '\t' and <= '~' and not ('"' or '\n' or '\r')),
            "delimiter",
            "'delimiter' must be one ASCII character that is no quote and no line break.");
        await using var db = await databases.CreateDbContextAsync(cancel);
        await DatasetRegistry.RequireOpenAsync(db, name, cancel);
        if (await door.CheckAsync(db, request.Source, cancel) is { } file && request.Format is null && SourceFormat.Of(file) is null && !IsArchiveName(file))
        {
            throw UnknownFormat(file);
        }

        return request;
    }

    protected override string? SubjectOf(DatasetImportRequest request) => request.Dataset;

    protected override async Task<JobPublish> RunAsync(JobContext job, DatasetImportRequest request, CancellationToken cancel)
    {
        var version = await GuardAsync(async () =>
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var source = await door.FetchAsync(db, request.Source, paths => Choose(paths, request.Format), job, cancel);
            FaultPoints.Reach("dataset.fetched");
            var files = await UnpackAsync(source.Files, request, job, cancel);
            using var spool = new RowSpool(job.ScratchFolder);
            await ReadAsync(files, request, spool, job, cancel);
            FaultPoints.Reach("dataset.read");
            return await WriteAsync(spool, request, new DatasetLineage(null, source.Origin, job.Id, null), job, cancel);
        });
        FaultPoints.Reach("dataset.written");
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    private static async Task ReadAsync(IReadOnlyList<RowFile> files, DatasetImportRequest request, RowSpool spool, JobContext job, CancellationToken cancel)
    {
        foreach (var (index, file) in files.Index())
        {
            var plan = new ReadPlan(
                request.Format ?? SourceFormat.Of(file.Name) ?? throw UnknownFormat(file.Name),
                files.Count > 1 ? file.Name : null,
                request.Encoding == TextFile.Windows,
                request.Delimiter is { } delimiter ? (byte)delimiter[0] : null,
                request.Header ?? true);
            var split = files.Count > 1 ? SourceSplits.Of(file.Name) : SourceSplits.Usual;
            var rows = 0L;
            await foreach (var row in SourceFormat.ReadAsync(file.Path, plan, cancel))
            {
                spool.Add(split, row, plan);
                if (++rows % ReportEvery == 0)
                {
                    job.Report(ReadShare * index / files.Count, DatasetCodes.ReadingRows.With(("file", file.Name), ("rows", rows)));
                }
            }
        }

        if (spool.Rows == 0)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, "The source has no rows.") { Field = "source" };
        }

        if (!spool.HasColumns)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, "No row of the source has a field.") { Field = "source" };
        }
    }

    private static async Task<NewDatasetVersion> WriteAsync(RowSpool spool, DatasetImportRequest request, DatasetLineage lineage, JobContext job, CancellationToken cancel)
    {
        var schema = spool.Finish();
        await using var writer = new VersionWriter(job.ScratchFolder, schema);
        await foreach (var (split, values) in spool.ReadAsync(schema, cancel))
        {
            await writer.AddAsync(split, values, cancel);
            if (writer.Rows % ReportEvery == 0)
            {
                job.Report(ReadShare + ((1 - ReadShare) * writer.Rows / spool.Rows), DatasetCodes.WritingRows.With(("row", writer.Rows), ("rows", spool.Rows)));
            }
        }

        return await writer.FinishAsync(request.Dataset!, request.License, lineage, job, cancel);
    }

    /// <summary>An archive's files of rows in place of the archive.</summary>
    private static async Task<IReadOnlyList<RowFile>> UnpackAsync(IReadOnlyList<SourceFile> files, DatasetImportRequest request, JobContext job, CancellationToken cancel)
    {
        List<RowFile> rows = [];
        foreach (var (index, file) in files.Index())
        {
            // A gzip is a single file, unless its name says that a tar is in it.
            if (!IsArchiveName(file.Name) && !(request.Format is null && SourceFormat.Of(file.Name) is null && ArchiveUnpacker.IsArchive(file.Path)))
            {
                rows.Add(new RowFile(file.Path, file.Name));
                continue;
            }

            job.Report(0, DatasetCodes.Unpacking);
            var folder = Directory.CreateDirectory(Path.Combine(job.ScratchFolder, $"unpacked-{index}")).FullName;
            await ArchiveUnpacker.UnpackAsync(file.Path, folder, new ArchiveLimits(), cancel);
            var inside = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
                .Where(path => !path.Split('/').Any(part => part.StartsWith('.') || part == "__MACOSX"))
                .ToList();
            rows.AddRange(Choose(inside, request.Format).Select(path => new RowFile(Path.Combine(folder, path), path)));
        }

        return rows;
    }

    /// <summary>The files of rows among those of an archive or a repository, in the order of their names.</summary>
    private static IReadOnlyList<string> Choose(IReadOnlyList<string> paths, string? format)
    {
        List<string> found = format is not null
            ? [.. paths.Where(path => SourceFormat.Of(path) == format)]
            : Preferred.Select(formats => paths.Where(path => formats.Contains(SourceFormat.Of(path)) && !IsNote(path)).ToList()).FirstOrDefault(files => files.Count > 0) ?? [];
        if (found.Count == 0)
        {
            var shown = string.Join(", ", paths.Take(5).Select(Shown.Of));
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"None of its {paths.Count} files is one of rows ({shown}). Expected: {string.Join(", ", SourceFormat.All)}.") { Field = "source" };
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }

    private static bool IsNote(string path) =>
        Path.GetFileNameWithoutExtension(path).ToUpperInvariant() is "README" or "LICENSE" or "LICENCE" or "NOTICE" or "SOURCE" or "DATASET_INFOS";

    private static bool IsArchiveName(string name)
    {
        string[] ends = [".zip", ".tar", ".tar.gz", ".tgz"];
        return ends.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase));
    }

    private static LlmOsException UnknownFormat(string name) =>
        new(ErrorCode.UnsupportedFormat, $"The name '{Shown.Of(name)}' does not say how its rows are written.") { Field = "format", Hint = $"Give \"format\": {string.Join(" or ", SourceFormat.All)}." };

    /// <summary>What the machine cannot do comes out as a refusal; bugs come out as they are.</summary>
    private static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LlmOsException(ErrorCode.MissingFile, "A file of the source went away while it was read.", fault) { Field = "source" };
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new LlmOsException(ErrorCode.NotAllowed, "A file of the source may not be read by the server's user.", fault) { Field = "source" };
        }
        catch (IOException fault) when (DiskSpace.IsFull(fault))
        {
            throw DiskSpace.Full(fault);
        }
    }
}
