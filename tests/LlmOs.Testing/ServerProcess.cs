using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace LlmOs.Testing;

/// <summary>How to start a server; what is left out is new for each.</summary>
public sealed record ServerStart
{
    /// <summary>The data folder; null: a new one, deleted with the process.</summary>
    public string? Data { get; init; }

    /// <summary>Further environment variables; a null value takes one away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The server to start; null: the published one, or the one built along with the tests.</summary>
    public string? ServerFile { get; init; }

    /// <summary>Whether the server runs in a network of its own (<see cref="Testing.OwnNetwork"/>).</summary>
    public bool OwnNetwork { get; init; }

    /// <summary>Wait until <c>/readyz</c> answers 200; without, the process has only been started.</summary>
    public bool WaitUntilReady { get; init; } = true;
}

/// <summary>
/// The real server as a process of its own, listening on a port that the system gives. As a class fixture it starts once with defaults;
/// <see cref="StartAsync"/> starts others.
/// </summary>
public class ServerProcess : Xunit.IAsyncLifetime
{
    /// <summary>The admin key of every server that is started here.</summary>
    public const string AdminKey = "test-admin-key-0123456789abcdef";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private const string ListensOn = "LlmOs listens on ";

    private readonly ConcurrentQueue<string> _output = new();
    private readonly SemaphoreSlim _starting = new(1, 1);
    private TaskCompletionSource _written = NewSignal();
    private Process? _process;
    private TempFolder? _folder;
    private bool _ownNetwork;

    /// <summary>What a class fixture starts with.</summary>
    protected virtual ServerStart Start { get; } = new();

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public string Data { get; private set; } = "";

    public int ProcessId => _process!.Id;

    /// <summary>Null while the process runs.</summary>
    public int? ExitCode => _process!.HasExited ? _process.ExitCode : null;

    /// <summary>Everything written to standard output and error so far.</summary>
    public string Output => string.Join('\n', _output);

    public static async Task<ServerProcess> StartAsync(ServerStart start)
    {
        var server = new ServerProcess();
        await server.LaunchAsync(start);
        return server;
    }

    /// <summary>Whether a fixture starts with the tests; without, with the first call of <see cref="StartedAsync"/>.</summary>
    protected virtual bool StartsAtOnce => true;

    public async ValueTask InitializeAsync()
    {
        if (StartsAtOnce)
        {
            await LaunchAsync(Start);
        }
    }

    /// <summary>A client of the server, which is started if it is not.</summary>
    public async Task<HttpClient> StartedAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_process is null)
            {
                await LaunchAsync(Start);
            }
        }
        finally
        {
            _starting.Release();
        }

        return Client();
    }

    /// <summary>A client that sends the key with each request; null sends none.</summary>
    /// <param name="from">The loopback address that it comes from, for what is counted by address.</param>
    public HttpClient Client(string? key = AdminKey, IPAddress? from = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (_ownNetwork)
        {
            handler.ConnectCallback = async (context, cancel) =>
            {
                var socket = await OwnNetwork.OpenAsync(ProcessId);
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }
        else if (from is not null)
        {
            handler.ConnectCallback = async (context, cancel) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(from, 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        var client = new HttpClient(handler) { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(10) };
        if (key is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return client;
    }

    /// <summary>Asks the process to end, as an orchestrator does.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync() => SignalAsync(Signals.Term);

    /// <summary>Sends SIGTERM and does not wait for the end.</summary>
    public void Terminate() => Signals.Send(ProcessId, Signals.Term);

    /// <summary>Ends the process without a chance to clean up.</summary>
    public Task<int> KillAsync() => SignalAsync(Signals.Kill);

    /// <summary>Waits until the process has ended by itself.</summary>
    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process!.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException($"The server did not end within {StopLimit}.\n{Output}");
        }

        return _process.ExitCode;
    }

    public async Task WaitUntilReadyAsync()
    {
        // Its address stands in the first line that it writes once it listens; with port 0 nobody knows it before.
        var line = await WaitForLineAsync(ListensOn);
        Address = new Uri(line[(line.IndexOf(ListensOn, StringComparison.Ordinal) + ListensOn.Length)..].Split(' ', ',')[0]);
        using var client = Client(null);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < StartLimit)
        {
            ThrowIfEnded();
            try
            {
                using var answer = await client.GetAsync("/readyz");
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                ThrowIfEnded();
            }

            await Task.Delay(Look);
        }

        throw new InvalidOperationException($"The server was not ready within {StartLimit}.\n{Output}");
    }

    /// <summary>Waits until a line of the output has a text, and gives the line.</summary>
    public async Task<string> WaitForLineAsync(string text)
    {
        using var limit = new CancellationTokenSource(StartLimit);
        while (true)
        {
            var written = Volatile.Read(ref _written).Task;
            if (_output.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            if (_process!.HasExited)
            {
                await _process.WaitForExitAsync(limit.Token); // its last lines
                return _output.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) ?? throw Ended();
            }

            try
            {
                await Task.WhenAny(written, _process.WaitForExitAsync(limit.Token)).WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new InvalidOperationException($"The server wrote no line with '{text}' within {StartLimit}.\n{Output}");
            }
        }
    }

    private void ThrowIfEnded()
    {
        if (_process!.HasExited)
        {
            throw Ended();
        }
    }

    private InvalidOperationException Ended() => new($"The server ended with {_process!.ExitCode} instead of going on.\n{Output}");

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        _process = null; // a start that failed has cleaned up by itself, and is cleaned up again with its fixture
        _folder?.Dispose();
    }

    private async Task LaunchAsync(ServerStart start)
    {
        if (start.Data is null)
        {
            _folder = new TempFolder();
        }

        Data = start.Data ?? _folder!.At("data");
        _ownNetwork = start.OwnNetwork;
        string[] program = [.. _ownNetwork ? OwnNetwork.Launcher : [], "dotnet", start.ServerFile ?? BuiltProgram.Server()];
        var info = new ProcessStartInfo(program[0], program[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };

        // Nothing of the machine's own settings may decide a test.
        foreach (var name in info.Environment.Keys.Where(n => n.StartsWith("LLMOS_", StringComparison.Ordinal) || n.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
        {
            info.Environment.Remove(name);
        }

        info.Environment["LLMOS_DATA"] = Data;
        info.Environment["LLMOS_ADMIN_KEY"] = AdminKey;
        info.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        info.Environment["Jobs__LowPriority"] = "false"; // beside other tests a training would hardly get on
        info.Environment["DOTNET_TieredPGO"] = "0"; // a test's server does not live to use what it learns of itself
        foreach (var (name, value) in start.Environment)
        {
            if (value is null)
            {
                info.Environment.Remove(name);
            }
            else
            {
                info.Environment[name] = value;
            }
        }

        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        if (start.WaitUntilReady)
        {
            try
            {
                await WaitUntilReadyAsync();
            }
            catch
            {
                await DisposeAsync();
                throw;
            }
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
            Interlocked.Exchange(ref _written, NewSignal()).TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<int> SignalAsync(int signal)
    {
        Signals.Send(ProcessId, signal);
        return await WaitForExitAsync();
    }
}
