using System.Diagnostics;
using Npgsql;
using Xunit;

namespace LlmOs.Testing;

/// <summary>
/// A PostgreSQL server for one test assembly: <c>LLMOS_TEST_POSTGRES</c> (a connection string that may create databases),
/// else one of its own, started from <c>initdb</c> on the PATH or below <c>/usr/lib/postgresql</c>. Where there is
/// neither, tests that ask for it skip with the reason; with <c>LLMOS_REQUIRE_POSTGRES=1</c> they fail.
/// Use: <c>[assembly: AssemblyFixture(typeof(PostgresServer))]</c>.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly SemaphoreSlim _templateGate = new(1);
    private readonly HashSet<string> _templates = [];
    private string? _bin;
    private string? _folder;
    private string? _connection;
    private string? _missing;

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("LLMOS_TEST_POSTGRES") is { Length: > 0 } stated)
        {
            _connection = stated;
            return;
        }

        _bin = FindBinaries();
        if (_bin is null)
        {
            _missing = "needs PostgreSQL: no initdb on the PATH nor below /usr/lib/postgresql, and LLMOS_TEST_POSTGRES is not set";
            return;
        }

        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_folder is null)
        {
            return;
        }

        await ControlAsync("-m", "immediate", "-s", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>
    /// Stops the server and cuts its connections; what was committed is on the disk, though these servers do not wait for it at each
    /// commit. Only of a server that a test has for itself.
    /// </summary>
    public Task StopServerAsync() => ControlAsync("-m", "fast", "-s", "stop");

    /// <summary>Starts it again, with its databases.</summary>
    public Task StartServerAsync() => ControlAsync([.. StartArguments, "start"]);

    /// <summary>Skips the test where the server is none of its own, so that it could not be stopped.</summary>
    public void RequireOwn()
    {
        Require();
        Assert.SkipWhen(_folder is null, "needs a PostgreSQL of its own: LLMOS_TEST_POSTGRES names one");
    }

    /// <summary>The connection string of a new, empty database; skips the test where there is no server.</summary>
    public Task<string> NewDatabaseAsync() => CreateAsync(template: null);

    /// <summary>A new database that is a copy of one which <paramref name="prepare"/> filled once.</summary>
    /// <param name="name">Names the template within this server.</param>
    public async Task<string> NewDatabaseAsync(string name, Func<string, Task> prepare)
    {
        Require();
        var template = $"template_{name}";
        await _templateGate.WaitAsync();
        try
        {
            if (_templates.Add(template))
            {
                await ExecuteAsync($"create database {template}");
                var connection = ConnectionTo(template);
                await prepare(connection);
                await using var held = new NpgsqlConnection(connection);
                NpgsqlConnection.ClearPool(held); // a template may have no sessions while it is copied
            }

            return await CreateAsync(template);
        }
        finally
        {
            _templateGate.Release();
        }
    }

    private async Task<string> CreateAsync(string? template)
    {
        Require();
        var name = $"test_{Guid.NewGuid():n}";
        await ExecuteAsync($"create database {name}{(template is null ? "" : $" template {template}")}");
        return ConnectionTo(name);
    }

    private void Require()
    {
        if (Environment.GetEnvironmentVariable("LLMOS_REQUIRE_POSTGRES") == "1")
        {
            Assert.True(_missing is null, _missing);
        }

        Assert.SkipWhen(_missing is not null, _missing ?? "");
    }

    private string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder(_connection) { Database = database, IncludeErrorDetail = true }.ToString();

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("llmos-pg-").FullName;
        if (Environment.UserName == "root")
        {
            await RunPlainAsync("chown", "postgres", _folder);
        }

        var data = Path.Combine(_folder, "data");
        await RunAsync(Path.Combine(_bin!, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync");
        await StartServerAsync();
        _connection = $"Host={_folder};Username=postgres;Database=postgres"; // a socket of its own: no port that another could take
    }

    private string[] StartArguments =>
    [
        "-w", "-s", "-t", "120", "-l", Path.Combine(_folder!, "log"),
        "-o", $"-c listen_addresses='' -k {_folder} -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=600",
    ];

    private Task ControlAsync(params string[] arguments) => RunAsync(Path.Combine(_bin!, "pg_ctl"), ["-D", Path.Combine(_folder!, "data"), .. arguments]);

    private static string? FindBinaries()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        const string Debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian).OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var version) ? version : 0).Select(d => Path.Combine(d, "bin"))
            : [];

        // initdb finds its server beside itself, so a link to it does not do.
        return onPath.Concat(versions)
            .Where(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "initdb")))
            .Select(folder => Path.GetDirectoryName(File.ResolveLinkTarget(Path.Combine(folder, "initdb"), returnFinalTarget: true)?.FullName ?? Path.Combine(folder, "initdb")))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder!, "pg_ctl")));
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static Task RunAsync(string program, params string[] arguments) => Environment.UserName == "root"
        ? RunPlainAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments])
        : RunPlainAsync(program, arguments);

    private static async Task RunPlainAsync(string program, params string[] arguments)
    {
        // Not redirected: the server inherits the handles, and reading them to the end would wait for it.
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = "/tmp", RedirectStandardInput = true })!;
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        }
    }
}
