using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Tools.Datasets;

/// <summary>A form with a <c>file</c>, and what else a request may state as its fields: it becomes an upload, and a request that names it.</summary>
internal static class DatasetUpload
{
    private const int MaxName = 200;
    private static readonly string[] Known = ["format", "license", "encoding", "delimiter", "header"];

    public static async Task<DatasetImportRequest> ReadAsync(HttpRequest request, string dataset, LlmOsDb db, Uploads uploads, DataFolder folder, CancellationToken cancel)
    {
        var path = Path.Combine(folder.Scratch, $"dataset-{Guid.NewGuid():n}");
        try
        {
            string? name = null;
            var fields = await FormParts.ReadAsync(request, "file", TakeAsync, cancel);
            foreach (var field in fields.Keys)
            {
                FieldCheck.That(Known.Contains(field), Shown.Of(field), $"'{Shown.Of(field)}' is no field of this form; expected file, {string.Join(", ", Known)}.");
            }

            var upload = await StoreAsync(path, name ?? throw LlmOsException.Invalid("file", "The form has no part named 'file' with a file name."), db, uploads, cancel);
            return new DatasetImportRequest
            {
                Dataset = dataset,
                Source = $"upload:{upload}",
                Format = fields.GetValueOrDefault("format"),
                License = fields.GetValueOrDefault("license"),
                Encoding = fields.GetValueOrDefault("encoding"),
                Delimiter = fields.GetValueOrDefault("delimiter"),
                Header = fields.GetValueOrDefault("header") switch
                {
                    null => null,
                    "true" => true,
                    "false" => false,
                    _ => throw LlmOsException.Invalid("header", "'header' must be 'true' or 'false'."),
                },
            };

            async Task TakeAsync(string field, string fileName, Stream content)
            {
                FieldCheck.That(field == "file", Shown.Of(field), $"'{Shown.Of(field)}' is a file; the form takes one, named 'file'.");
                FieldCheck.That(name is null, "file", "The form has more than one file; pack several into a zip.");
                name = FormParts.PlainName(fileName) is { Length: > 0 and <= MaxName } plain ? plain : "file"; // it never becomes a path here
                await KeepAsync(content, path, folder, cancel);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task KeepAsync(Stream content, string path, DataFolder folder, CancellationToken cancel)
    {
        await using var target = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous);
        try
        {
            await content.CopyToAsync(target, cancel);
        }
        catch (IOException fault) when (DiskSpace.IsFull(fault))
        {
            throw DiskSpace.Full(fault);
        }

        FieldCheck.That(target.Length > 0, "file", "The file is empty.");
        DiskSpace.Require(folder, target.Length, "The file");
    }

    private static async Task<string> StoreAsync(string path, string name, LlmOsDb db, Uploads uploads, CancellationToken cancel)
    {
        await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var upload = await uploads.BeginAsync(db, new UploadRequest { Filename = name, Bytes = content.Length }, cancel);
        await uploads.AppendAsync(db, upload.Id, null, content, cancel);
        return upload.Id;
    }
}
