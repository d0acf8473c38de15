using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Tokenizers;

/// <summary>
/// The files of a <c>PUT</c>, on disk until it is answered: the body itself is a <c>tokenizer.json</c>, or a form's parts
/// named <c>file</c> are files of any supported form.
/// </summary>
internal sealed class TokenizerUpload : IDisposable
{
    /// <summary>Bytes; Gemma's, the largest published, has 35 MB.</summary>
    public const long MaxBytes = 64 << 20;

    private const int MaxFiles = 8;

    /// <summary>A file whose name says nothing.</summary>
    private const string Alone = "file";

    private readonly string _folder;
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);

    private TokenizerUpload(string folder) => _folder = folder;

    /// <summary>Published name, and where the content lies.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    public static async Task<TokenizerUpload> ReadAsync(HttpRequest request, DataFolder data, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Path.Combine(data.Scratch, $"tokenizer-{Guid.NewGuid():n}")).FullName;
        var upload = new TokenizerUpload(folder);
        try
        {
            if (FormParts.IsForm(request))
            {
                await upload.ReadFormAsync(request, cancel);
            }
            else
            {
                await upload.KeepAsync(Alone, request.Body, cancel);
            }

            upload.NameByContent();
            return upload;
        }
        catch
        {
            upload.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task ReadFormAsync(HttpRequest request, CancellationToken cancel)
    {
        await FormParts.ReadAsync(request, Alone, (field, fileName, content) => field == Alone ? KeepAsync(PlainName(fileName), content, cancel) : Task.CompletedTask, cancel);
        if (_files.Count == 0)
        {
            throw LlmOsException.Invalid(Alone, "The form has no part named 'file' with a file name; expected the tokenizer's file, such as tokenizer.json or spiece.model.");
        }
    }

    /// <summary>The name that the sender gave. It never becomes a path here.</summary>
    private static string PlainName(string name) => FormParts.PlainName(name) is { Length: > 0 and <= 64 } plain ? plain : Alone;

    /// <summary>A single file goes by what is in it where its name is none of the published ones.</summary>
    private void NameByContent()
    {
        if (_files.Count == 1 && TokenizerFolder.FilesOf(_files.Keys).Count == 0 && TokenizerFolder.NameFor(_files.Values.Single()) is { } name)
        {
            var path = _files.Values.Single();
            _files.Clear();
            _files[name] = path;
        }
    }

    private async Task KeepAsync(string name, Stream content, CancellationToken cancel)
    {
        if (_files.Count == MaxFiles)
        {
            throw LlmOsException.Invalid("file", $"The form has more than {MaxFiles} files.");
        }

        // Numbered, since the name is the sender's.
        var path = Path.Combine(_folder, $"{_files.Count}");
        await using (var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
        {
            await content.CopyToAsync(target, cancel);
        }

        if (!_files.TryAdd(name, path))
        {
            throw LlmOsException.Invalid("file", $"The form has two files named '{Registry.ModelName.Shorten(name)}'.");
        }
    }
}
