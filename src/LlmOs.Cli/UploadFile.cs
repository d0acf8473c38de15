using System.Security.Cryptography;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary>Sends a file of this machine to the server, piece by piece, each checked off by the server; a lost connection costs one piece.</summary>
internal static class UploadFile
{
    private const int PieceBytes = 16 << 20;
    private const int Tries = 5;

    /// <param name="source">A <c>file:</c> source.</param>
    /// <returns>The upload's id.</returns>
    public static async Task<string> SendAsync(LlmOsClient client, string source, CancellationToken cancel)
    {
        var path = source.StartsWith("file:", StringComparison.Ordinal) ? source["file:".Length..] : source;
        if (!File.Exists(path))
        {
            throw new UsageException($"'{path}' is no file of this machine; --upload sends one file: a GGUF, an archive or a bundle.");
        }

        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
        var upload = await client.BeginUploadAsync(new UploadRequest { Filename = Path.GetFileName(path), Bytes = file.Length, Sha256 = sha256 }, cancel);
        if (Console.IsOutputRedirected)
        {
            await SendAsync(client, file, upload, _ => { }, cancel);
        }
        else
        {
            await AnsiConsole.Progress()
                .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(async bars =>
                {
                    var bar = bars.AddTask("uploading", maxValue: file.Length);
                    await SendAsync(client, file, upload, sent => bar.Value = sent, cancel);
                });
        }

        return upload.Id;
    }

    private static async Task SendAsync(LlmOsClient client, FileStream file, UploadView upload, Action<long> report, CancellationToken cancel)
    {
        var piece = new byte[PieceBytes];
        for (var failures = 0; upload.State != UploadState.Finished;)
        {
            report(upload.Received);
            try
            {
                file.Position = upload.Received;
                var length = await file.ReadAtLeastAsync(piece, PieceBytes, throwOnEndOfStream: false, cancel);
                upload = await client.AppendToUploadAsync(upload, piece.AsMemory(0, length), cancel);
                failures = 0;
            }
            catch (Exception e) when (e is HttpRequestException or IOException && ++failures < Tries)
            {
                await Task.Delay(TimeSpan.FromSeconds(failures), TimeProvider.System, cancel);
                upload = await client.GetUploadAsync(upload.Id, cancel); // where it stands now
            }
        }

        report(upload.Bytes);
    }
}
