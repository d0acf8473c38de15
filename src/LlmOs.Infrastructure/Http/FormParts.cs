using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Infrastructure.Http;

/// <summary>A multipart form, read as it arrives: fields are short texts, files are streams that somebody takes while they come.</summary>
public static class FormParts
{
    private const int MaxFields = 32;
    private const int MaxFieldCharacters = 8_192;
    private const int MaxBoundary = 200;

    public static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a form to its end.</summary>
    /// <param name="field">The field that is named where the form itself is at fault.</param>
    /// <param name="takeFile">Given the field's name, the file's name as the sender wrote it and its content, which it must read before it returns.</param>
    /// <returns>The fields that are no files; of two with one name the later.</returns>
    /// <exception cref="LlmOsException">It is no form, or is cut off, or has too many or too long fields.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(HttpRequest request, string field, Func<string, string, Stream, Task> takeFile, CancellationToken cancel)
    {
        if (!IsForm(request) || HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary).Value is not { Length: > 0 and <= MaxBoundary } boundary)
        {
            throw LlmOsException.Invalid(field, $"{field}: expected a form (multipart/form-data) with a boundary of at most {MaxBoundary} characters.");
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var reader = new MultipartReader(boundary, request.Body);
            while (await reader.ReadNextSectionAsync(cancel) is { } section)
            {
                var disposition = section.GetContentDispositionHeader();
                var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).Value;
                if (disposition is null || name is null or "")
                {
                    continue; // nothing that a form has
                }

                if (disposition.IsFileDisposition())
                {
                    await takeFile(name, new FileMultipartSection(section, disposition).FileName, section.Body);
                }
                else
                {
                    if (fields.Count == MaxFields)
                    {
                        throw LlmOsException.Invalid(field, $"The form has more than {MaxFields} fields.");
                    }

                    fields[name] = await ReadFieldAsync(section.Body, name, cancel);
                }
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException and not BadHttpRequestException && !(fault is IOException full && DiskSpace.IsFull(full)))
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, "The multipart form could not be read to its end.", fault) { Field = field };
        }

        return fields;
    }

    /// <summary>The name that the sender gave a file, without folders.</summary>
    public static string PlainName(string fileName) => fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..];

    private static async Task<string> ReadFieldAsync(Stream body, string name, CancellationToken cancel)
    {
        using var reader = new StreamReader(body, Encoding.UTF8);
        var buffer = new char[MaxFieldCharacters + 1];
        var length = await reader.ReadBlockAsync(buffer, cancel);
        return length <= MaxFieldCharacters
            ? new string(buffer, 0, length)
            : throw LlmOsException.Invalid(Shown.Of(name), $"{Shown.Of(name)}: has more than {MaxFieldCharacters} characters.");
    }
}
