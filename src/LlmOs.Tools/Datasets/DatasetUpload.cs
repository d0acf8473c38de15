using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Tools.Datasets;

/// <summary>A form with a <c>file</c>, and what else a request may state as its fields: it becomes an upload, and a request that names it.</summary>
internal static class DatasetUpload
{
    private const int MaxFieldCharacters = 4_096;
    private const int MaxFields = 16;

    public static async Task<DatasetImportRequest> ReadAsync(HttpRequest request, string dataset, LlmOsDb db, Uploads uploads, DataFolder folder, CancellationToken cancel)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
        {
            throw LlmOsException.Invalid("file", "The form has no boundary of at most 200 characters.");
        }

        var path = Path.Combine(folder.Scratch, $"dataset-{Guid.NewGuid():n}");
        try
        {
            var (name, fields) = await ReadFormAsync(new MultipartReader(boundary, request.Body), path, folder, cancel);
            return new DatasetImportRequest
            {
                Dataset = dataset,
                Source = $"upload:{await StoreAsync(path, name, db, uploads, cancel)}",
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
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<(string Name, Dictionary<string, string> Fields)> ReadFormAsync(MultipartReader reader, string path, DataFolder folder, CancellationToken cancel)
    {
        string? name = null;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            while (await reader.ReadNextSectionAsync(cancel) is { } section)
            {
                if (section.AsFileSection() is { Name: "file", FileStream: { } content } file)
                {
                    name = name is null ? PlainName(file.FileName) : throw LlmOsException.Invalid("file", "The form has more than one file; pack several into a zip.");
                    await KeepAsync(content, path, folder, cancel);
                }
                else if (section.AsFormDataSection() is { } field)
                {
                    string[] known = ["format", "license", "encoding", "delimiter", "header"];
                    FieldCheck.That(known.Contains(field.Name) && fields.Count < MaxFields, Shown.Of(field.Name), $"'{Shown.Of(field.Name)}' is no field of this form; expected file, {string.Join(", ", known)}.");
                    var value = await field.GetValueAsync(cancel);
                    FieldCheck.That(value.Length <= MaxFieldCharacters, field.Name, $"'{field.Name}' is too long.");
                    fields[field.Name] = value;
                }
                else
                {
                    throw LlmOsException.Invalid("file", "The form has a part that is neither the file named 'file' nor a field.");
                }
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException and not BadHttpRequestException && !(fault is IOException full && DiskSpace.IsFull(full)))
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, "The multipart form could not be read to its end.", fault) { Field = "file" };
        }

        return (name ?? throw LlmOsException.Invalid("file", "The form has no part named 'file' with a file name."), fields);
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

    /// <summary>The name that the sender gave, without folders. It never becomes a path here.</summary>
    private static string PlainName(string name)
    {
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        return name.Length is > 0 and <= 200 ? name : "file";
    }
}
