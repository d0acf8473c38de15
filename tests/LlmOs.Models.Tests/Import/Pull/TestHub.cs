using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LlmOs.Models.Tests.Import.Pull;

/// <summary>A request as it came.</summary>
internal sealed record HubRequest(string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Where a range begins; 0 without one.</summary>
    public long From => Headers.TryGetValue("range", out var range) ? long.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
}

/// <summary>What is answered. The connection is closed after each answer.</summary>
internal sealed record HubReply(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>Bytes of the body after which the connection is closed, whatever length was announced.</summary>
    public int? CutAfter { get; init; }

    /// <summary>The length that is announced; null announces the true one.</summary>
    public long? Announced { get; init; }
}

/// <summary>
/// A hub on a loopback port, written on bare sockets so that it can break every promise of HTTP on purpose. It speaks the
/// hub's routes: revision, tree (in pages), and resolve, which sends large files to its storage by a redirect.
/// </summary>
internal sealed class TestHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private const int PageSize = 3;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public TestHub()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    /// <summary>The repository <c>org/model</c>: content by path. What ends in .safetensors or .gguf lies in large-file storage.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    public ConcurrentQueue<HubRequest> Requests { get; } = new();

    /// <summary>Bytes of bodies that were sent, by the path of the request.</summary>
    public ConcurrentDictionary<string, long> Sent { get; } = new();

    /// <summary>Changes answers; null leaves them.</summary>
    public Func<HubRequest, HubReply, HubReply>? Change { get; set; }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public static string StorageOf(byte[] content) => $"/storage/{Convert.ToHexStringLower(SHA256.HashData(content))}";

    public long SentOf(string file) => Sent.GetValueOrDefault(StorageOf(Files[file]));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private static bool IsLarge(string path) => path.EndsWith(".safetensors", StringComparison.Ordinal) || path.EndsWith(".gguf", StringComparison.Ordinal) || path.EndsWith(".onnx", StringComparison.Ordinal);

    private async Task AcceptAsync()
    {
        List<Task> open = [];
        try
        {
            while (true)
            {
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException) // "not listening": stopped between two calls
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await ReadAsync(stream) is { } request)
                {
                    Requests.Enqueue(request);
                    var reply = Answer(request);
                    await WriteAsync(stream, request, Change?.Invoke(request, reply) ?? reply);
                    client.Client.Shutdown(SocketShutdown.Send); // a proper end, so that what was sent arrives
                    while (await stream.ReadAsync(new byte[64], _stop.Token) > 0)
                    {
                    }
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // The client left.
            }
        }
    }

    private async Task<HubRequest?> ReadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        return new HubRequest(lines[0].Split(' ')[1], lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0].ToLowerInvariant(), p => p[1]));
    }

    private async Task WriteAsync(NetworkStream stream, HubRequest request, HubReply reply)
    {
        var head = $"HTTP/1.1 {reply.Status} x\r\nConnection: close\r\nContent-Length: {reply.Announced ?? reply.Body.Length}\r\n{string.Concat(reply.Headers.Select(h => $"{h.Key}: {h.Value}\r\n"))}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token);
        var length = Math.Min(reply.CutAfter ?? int.MaxValue, reply.Body.Length);
        Sent.AddOrUpdate(request.Path, length, (_, before) => before + length);
        await stream.WriteAsync(reply.Body.AsMemory(0, length), _stop.Token);
    }

    private HubReply Answer(HubRequest request)
    {
        var path = request.Path.Split('?')[0];
        if (path == "/api/models/org/model/revision/main")
        {
            return Json(200, new { id = "org/model", sha = Commit });
        }

        if (path == $"/api/models/org/model/tree/{Commit}")
        {
            return Tree(request.Path.Contains("cursor=", StringComparison.Ordinal) ? int.Parse(request.Path.Split("cursor=")[1], CultureInfo.InvariantCulture) : 0);
        }

        const string Resolve = $"/org/model/resolve/{Commit}/";
        if (path.StartsWith(Resolve, StringComparison.Ordinal) && Files.TryGetValue(Uri.UnescapeDataString(path[Resolve.Length..]), out var content))
        {
            return IsLarge(path)
                ? new HubReply(302, []) { Headers = { ["Location"] = StorageOf(content), ["X-Repo-Commit"] = Commit, ["X-Linked-Size"] = $"{content.Length}", ["X-Linked-Etag"] = $"\"{StorageOf(content)[9..]}\"" } }
                : Ranged(request, content);
        }

        return Files.Values.FirstOrDefault(c => StorageOf(c) == path) is { } stored
            ? Ranged(request, stored)
            : new HubReply(404, []) { Headers = { ["X-Error-Code"] = path.Contains("/revision/", StringComparison.Ordinal) ? "RevisionNotFound" : "EntryNotFound" } };
    }

    private static HubReply Ranged(HubRequest request, byte[] content) =>
        request.From == 0 ? new HubReply(200, content)
        : request.From >= content.Length ? new HubReply(416, []) { Headers = { ["Content-Range"] = $"bytes */{content.Length}" } }
        : new HubReply(206, content[(int)request.From..]) { Headers = { ["Content-Range"] = $"bytes {request.From}-{content.Length - 1}/{content.Length}" } };

    private HubReply Tree(int from)
    {
        var entries = Files.OrderBy(f => f.Key, StringComparer.Ordinal).Skip(from).Take(PageSize).Select(f => IsLarge(f.Key)
            ? (object)new { type = "file", path = f.Key, size = f.Value.Length, oid = new string('a', 40), lfs = new { oid = StorageOf(f.Value)[9..], size = f.Value.Length, pointerSize = 130 } }
            : new { type = "file", path = f.Key, size = f.Value.Length, oid = GitHash(f.Value) }).ToList();
        var reply = Json(200, entries);
        if (from + PageSize < Files.Count)
        {
            reply.Headers["Link"] = $"<{Address}api/models/org/model/tree/{Commit}?recursive=true&cursor={from + PageSize}>; rel=\"next\"";
        }

        return reply;
    }

    private static HubReply Json(int status, object value) => new(status, JsonSerializer.SerializeToUtf8Bytes(value)) { Headers = { ["Content-Type"] = "application/json" } };

#pragma warning disable CA5350 // as git does
    private static string GitHash(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350
}
