using Microsoft.Extensions.Configuration;

namespace LlmOs.Infrastructure;

/// <summary>What this host does; a machine alone does everything.</summary>
[Flags]
public enum HostRoles
{
    Api = 1,
    Inference = 2,
    Training = 4,
    All = Api | Inference | Training,
}

/// <summary>How hosts find each other.</summary>
public enum ClusterMode
{
    Off,
    Localhost,
    Database,
}

/// <summary>Where models run.</summary>
public enum DeviceChoice
{
    /// <summary>A card where there is one, else the processor.</summary>
    Auto,
    Cpu,
    Cuda,
}

/// <summary>A setting that the server cannot start with; it ends the process with exit code 2.</summary>
public sealed class SettingException(string setting, string message) : Exception($"{setting}: {message}")
{
    /// <summary>The setting's name, as a person sets it.</summary>
    public string Setting { get; } = setting;
}

/// <summary>
/// Every setting of the process, checked once at start. Each is an environment variable (<c>LLMOS_DATA</c>) or the same
/// name in section <c>LlmOs</c> of appsettings.json (<c>LlmOs:Data</c>); the environment wins.
/// </summary>
public sealed class LlmOsSettings
{
    /// <summary>Section of appsettings.json.</summary>
    public const string Section = "LlmOs";

    /// <summary>The hosts that may be called when nothing else is said: the Hugging Face hub and where it keeps its files.</summary>
    public static readonly IReadOnlyList<string> DefaultEgress = ["huggingface.co", "*.huggingface.co", "*.hf.co"];

    private static readonly Uri DefaultHub = new("https://huggingface.co/");

    /// <summary><c>LLMOS_DATA</c>: absolute path of the data folder; default <c>~/.llmos</c>.</summary>
    public required string Data { get; init; }

    /// <summary><c>LLMOS_DATABASE</c>: an Npgsql connection string; null means SQLite in the data folder.</summary>
    public string? Database { get; init; }

    /// <summary><c>LLMOS_ADMIN_KEY</c>: the admin key of a new database; at least 24 characters.</summary>
    public string? AdminKey { get; init; }

    /// <summary><c>LLMOS_AUTH=off</c>: no keys are asked for; refused unless every bound address is loopback.</summary>
    public bool AuthOff { get; init; }

    /// <summary><c>LLMOS_ROLES</c></summary>
    public HostRoles Roles { get; init; } = HostRoles.All;

    /// <summary><c>LLMOS_CLUSTER</c></summary>
    public ClusterMode Cluster { get; init; } = ClusterMode.Off;

    /// <summary><c>LLMOS_IMPORT_DIRS</c>: absolute folders that <c>file:</c> sources must lie beneath; never empty.</summary>
    public required IReadOnlyList<string> ImportDirs { get; init; }

    /// <summary><c>LLMOS_DEVICE</c></summary>
    public DeviceChoice Device { get; init; } = DeviceChoice.Auto;

    /// <summary><c>LLMOS_EGRESS</c>: hosts that may be called, <c>*.</c> for any below, addresses and networks; empty means none.</summary>
    public IReadOnlyList<string> Egress { get; init; } = DefaultEgress;

    /// <summary><c>HF_ENDPOINT</c>: the hub that <c>hf:</c> sources come from; ends in a slash.</summary>
    public Uri HubEndpoint { get; init; } = DefaultHub;

    /// <summary><c>HF_TOKEN</c>: sent to the hub's own host, for repositories that are private or gated.</summary>
    public string? HubToken { get; init; }

    /// <summary><c>LLMOS_CORS</c>: origins whose pages may call the API with a key (<c>https://chat.example.com</c>), or <c>*</c> for any; empty: none.</summary>
    public IReadOnlyList<string> Cors { get; init; } = [];

    /// <summary><c>LLMOS_PROXIES</c>: addresses and networks of the proxies whose <c>X-Forwarded-...</c> headers are believed; empty: none.</summary>
    public IReadOnlyList<System.Net.IPNetwork> Proxies { get; init; } = [];

    /// <summary><c>LLMOS_BASE_PATH</c>: the path under which a proxy shows the server, <c>/llmos</c>; empty: the root.</summary>
    public string BasePath { get; init; } = "";

    /// <summary><c>LLMOS_TRAINER</c>: path of the trainer; null means the one built along with the server.</summary>
    public string? Trainer { get; init; }

    /// <summary>Reads and checks all settings; a bad one throws <see cref="SettingException"/> with its name.</summary>
    public static LlmOsSettings From(IConfiguration configuration)
    {
        var data = AbsolutePath("LLMOS_DATA", Read("LLMOS_DATA", "Data") ?? DefaultData());
        if (File.Exists(data))
        {
            throw new SettingException("LLMOS_DATA", $"'{data}' is a file; expected a folder, or a place where one can be made.");
        }

        var hub = HubOf(Read("HF_ENDPOINT", "HubEndpoint"));
        return new LlmOsSettings
        {
            Data = data,
            Database = DatabaseOf(Read("LLMOS_DATABASE", "Database")),
            AdminKey = AdminKeyOf(Read("LLMOS_ADMIN_KEY", "AdminKey")),
            AuthOff = AuthOffOf(Read("LLMOS_AUTH", "Auth")),
            Roles = RolesOf(Read("LLMOS_ROLES", "Roles")),
            Cluster = Choice("LLMOS_CLUSTER", Read("LLMOS_CLUSTER", "Cluster"), ClusterMode.Off),
            Device = Choice("LLMOS_DEVICE", Read("LLMOS_DEVICE", "Device"), DeviceChoice.Auto),
            ImportDirs = ImportDirsOf(Read("LLMOS_IMPORT_DIRS", "ImportDirs"), data),
            Egress = EgressOf(Read("LLMOS_EGRESS", "Egress"), hub),
            HubEndpoint = hub,
            HubToken = HubTokenOf(Read("HF_TOKEN", "HubToken")),
            Cors = CorsOf(Read("LLMOS_CORS", "Cors")),
            Proxies = ProxiesOf(Read("LLMOS_PROXIES", "Proxies")),
            BasePath = BasePathOf(Read("LLMOS_BASE_PATH", "BasePath")),
            Trainer = Read("LLMOS_TRAINER", "Trainer") is { } trainer ? ExistingFile("LLMOS_TRAINER", trainer) : null,
        };

        string? Read(string variable, string key)
        {
            var value = configuration[variable];
            value = string.IsNullOrWhiteSpace(value) ? configuration[$"{Section}:{key}"] : value;
            return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
        }
    }

    private static string DefaultData()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0
            ? Path.Combine(home, ".llmos")
            : throw new SettingException("LLMOS_DATA", "this user has no home folder; state the data folder.");
    }

    private static string AbsolutePath(string setting, string value) =>
        value.Contains('\0', StringComparison.Ordinal)
            ? throw new SettingException(setting, "is not a path.")
            : Path.GetFullPath(value);

    private static string ExistingFile(string setting, string value)
    {
        var path = AbsolutePath(setting, value);
        return File.Exists(path) ? path : throw new SettingException(setting, $"there is no file '{value}'.");
    }

    private static string? DatabaseOf(string? value)
    {
        if (value is null)
        {
            return null;
        }

        try
        {
            var parts = new Npgsql.NpgsqlConnectionStringBuilder(value);
            return string.IsNullOrEmpty(parts.Host)
                ? throw new SettingException("LLMOS_DATABASE", "names no Host; write 'Host=...;Database=...;Username=...;Password=...', or leave it empty for SQLite.")
                : value;
        }
        catch (ArgumentException)
        {
            // The value may hold a password, so it is not repeated.
            throw new SettingException("LLMOS_DATABASE", "is not an Npgsql connection string; write 'Host=...;Database=...;Username=...;Password=...', or leave it empty for SQLite.");
        }
    }

    private static string? AdminKeyOf(string? value) => value switch
    {
        null => null,
        { Length: < 24 or > 256 } => throw new SettingException("LLMOS_ADMIN_KEY", "must have 24 to 256 characters."),
        _ when value.Any(c => c is <= ' ' or > '~') => throw new SettingException("LLMOS_ADMIN_KEY", "may only hold visible ASCII characters."),
        _ => value,
    };

    private static bool AuthOffOf(string? value) => value?.ToLowerInvariant() switch
    {
        null or "on" => false,
        "off" => true,
        _ => throw new SettingException("LLMOS_AUTH", $"is '{value}'; expected on or off."),
    };

    private static HostRoles RolesOf(string? value)
    {
        if (value is null)
        {
            return HostRoles.All;
        }

        HostRoles roles = 0;
        foreach (var word in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            roles |= Choice<HostRoles>("LLMOS_ROLES", word, 0);
        }

        return roles == 0 ? throw new SettingException("LLMOS_ROLES", "names no role; expected some of api, inference, training.") : roles;
    }

    private static IReadOnlyList<string> ImportDirsOf(string? value, string data)
    {
        var folders = value?.Split(Path.PathSeparator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        return folders.Length == 0
            ? [Path.Combine(data, "import")]
            : [.. folders.Select(folder => AbsolutePath("LLMOS_IMPORT_DIRS", folder))];
    }

    private static Uri HubOf(string? value)
    {
        if (value is null)
        {
            return DefaultHub;
        }

        return Uri.TryCreate(value.TrimEnd('/') + "/", UriKind.Absolute, out var hub) && hub.Scheme is "https" or "http" && hub.UserInfo.Length == 0 && hub.Query.Length == 0
            ? hub
            : throw new SettingException("HF_ENDPOINT", "is not an address such as https://huggingface.co.");
    }

    private static string? HubTokenOf(string? value) =>
        value is null || (value.Length <= 512 && value.All(c => c is > ' ' and <= '~'))
            ? value
            : throw new SettingException("HF_TOKEN", "may only hold visible ASCII characters, at most 512.");

    /// <summary>Who states another hub and nothing of egress means that hub to be called.</summary>
    private static IReadOnlyList<string> EgressOf(string? value, Uri hub)
    {
        if (value is null)
        {
            return hub == DefaultHub ? DefaultEgress : [hub.IdnHost];
        }

        if (value.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        var hosts = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var bad = hosts.FirstOrDefault(host =>
            !Network.EgressRules.TryNetwork(host, out _) && Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host.Trim('[', ']')) == UriHostNameType.Unknown);
        return bad is null ? hosts : throw new SettingException("LLMOS_EGRESS", $"'{bad}' is not a host; expected off, or host names, addresses and networks separated by commas.");
    }

    private static string[] CorsOf(string? value)
    {
        if (value is null || value.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        var origins = Words(value);
        var bad = origins.FirstOrDefault(origin => origin != "*" && !(Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase)));
        return bad is null ? origins : throw new SettingException("LLMOS_CORS", $"'{bad}' is not an origin; expected *, or origins such as https://chat.example.com separated by commas, without a path.");
    }

    private static System.Net.IPNetwork[] ProxiesOf(string? value) =>
        [.. Words(value ?? "").Select(word => Network.EgressRules.TryNetwork(word, out var network)
            ? network
            : throw new SettingException("LLMOS_PROXIES", $"'{word}' is neither an address nor a network; expected such as 10.0.0.5 or 10.0.0.0/8, separated by commas."))];

    private static string BasePathOf(string? value)
    {
        var path = (value ?? "").TrimEnd('/');
        return path.Length == 0 || (path[0] == '/' && path.Split('/').Skip(1).All(part => part.Length > 0 && part is not ("." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~')))
            ? path
            : throw new SettingException("LLMOS_BASE_PATH", $"is '{value}'; expected a path such as /llmos.");
    }

    private static string[] Words(string value) => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static T Choice<T>(string setting, string? value, T otherwise)
        where T : struct, Enum
    {
        if (value is null)
        {
            return otherwise;
        }

        var name = Enum.GetNames<T>().FirstOrDefault(n => n.Equals(value, StringComparison.OrdinalIgnoreCase));
        return name is not null
            ? Enum.Parse<T>(name)
            : throw new SettingException(setting, $"is '{value}'; expected {string.Join(", ", Enum.GetNames<T>().Select(n => n.ToLowerInvariant()))}.");
    }
}
