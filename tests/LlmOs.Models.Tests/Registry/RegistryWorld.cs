using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Tests.Registry;

/// <summary>The services of the two lower tiers over a data folder and a database of one test.</summary>
internal sealed class RegistryWorld : IAsyncDisposable
{
    private readonly string _root;

    private RegistryWorld(string root, WebApplication app) => (_root, App) = (root, app);

    /// <summary>Not started: background loops do not run.</summary>
    public WebApplication App { get; }

    public DataFolder Folder => Get<DataFolder>();

    public ModelRegistry Registry => Get<ModelRegistry>();

    /// <param name="postgres">A connection string of an empty database; null takes SQLite.</param>
    /// <param name="hub">Where <c>hf:</c> sources come from.</param>
    public static async Task<RegistryWorld> CreateAsync(string? postgres = null, Uri? hub = null, string? token = null, IReadOnlyList<string>? egress = null)
    {
        var root = Directory.CreateTempSubdirectory("llmos-registry-").FullName;
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Pull:FirstPauseMilliseconds"] = "1",
            ["Pull:MaxAttempts"] = "3",
            ["Pull:MaxPauseSeconds"] = "2",
            ["Collector:GraceMinutes"] = "0",
        });
        var settings = new LlmOsSettings { Data = root, Database = postgres, ImportDirs = [Path.Combine(root, "import")], HubToken = token };
        builder.Services.AddInfrastructure(hub is null ? settings : new LlmOsSettings
        {
            Data = settings.Data,
            Database = settings.Database,
            ImportDirs = settings.ImportDirs,
            HubEndpoint = hub,
            HubToken = token,
            Egress = egress ?? [],
        }).AddModels();
        builder.Services.RemoveAll<IHostedService>();
        builder.Services.ConfigureHttpJsonOptions(json => Contracts.LlmOsJson.Apply(json.SerializerOptions));
        var world = new RegistryWorld(root, builder.Build());
        await using var db = await world.DbAsync();
        await db.Database.EnsureCreatedAsync();
        return world;
    }

    public T Get<T>()
        where T : notnull => App.Services.GetRequiredService<T>();

    public Task<LlmOsDb> DbAsync() => Get<IDbContextFactory<LlmOsDb>>().CreateDbContextAsync();

    /// <summary>Publishes in a transaction of its own, as the job loop does.</summary>
    public async Task<Contracts.ModelJobResult> PublishAsync(NewModelVersion version)
    {
        await using var db = await DbAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var result = await Registry.PublishAsync(db, version, CancellationToken.None);
        await transaction.CommitAsync();
        return result;
    }

    /// <summary>A version without real files, for tests of names and numbers.</summary>
    public static NewModelVersion Version(string name, string? alias = ModelAlias.Latest, char content = 'a') => new()
    {
        Name = name,
        Alias = alias,
        Task = "text-generation",
        Architecture = "LlamaForCausalLM",
        Parameters = 10,
        ContextLength = 64,
        Vocabulary = 40,
        Precision = "f32",
        Files = [new("config.json", new string(content, 64), 5)],
    };

    /// <summary>Writes a tiny random model beneath the import folder; returns its folder.</summary>
    public string WriteModel(string name, int seed = 1)
    {
        var folder = Path.Combine(Folder.Import, name);
        TinyModel.Write(folder, seed);
        return folder;
    }

    public Task<JobPublish> ImportAsync(object request) => RunAsync(new ScriptedJob(request, Folder.Scratch));

    public Task<JobPublish> RunAsync(JobContext job) => Get<IEnumerable<JobKind>>().Single(k => k.Word == "import").RunAsync(job, CancellationToken.None);

    /// <summary>Imports and lists, as the job loop does.</summary>
    public async Task<Contracts.ModelJobResult> ImportAndListAsync(object request)
    {
        var publish = await ImportAsync(request);
        await using var db = await DbAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var result = (Contracts.ModelJobResult)await publish(db, CancellationToken.None);
        await transaction.CommitAsync();
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }
}

/// <summary>A Llama of a few thousand random weights in the published layout.</summary>
internal static class TinyModel
{
    public const string ConfigJson = """
        {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,
         "num_attention_heads":2,"num_key_value_heads":1,"head_dim":16,"vocab_size":40,"max_position_embeddings":64,
         "rms_norm_eps":1e-05,"tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":2,"torch_dtype":"float32"}
        """;

    public static ModelConfig Config { get; } = ModelConfig.Read(Formats.ConfigJson.Parse(System.Text.Encoding.UTF8.GetBytes(ConfigJson), "config.json"));

    public static void Write(string folder, int seed)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigJson);
        WriteWeights(Path.Combine(folder, "model.safetensors"), LlamaWeights.Of(Config), seed);
    }

    public static void WriteWeights(string path, IReadOnlyList<TensorInfo> tensors, int seed)
    {
        var weights = new RandomWeights(tensors, seed);
        using var stream = File.Create(path);
        var writer = new SafetensorsWriter(stream, tensors);
        foreach (var tensor in tensors)
        {
            var values = new float[tensor.Elements];
            weights.Read(tensor.Name, 0, values);
            writer.Write(tensor.Name, values);
        }

        writer.Complete();
    }
}

/// <summary>A job outside the queue.</summary>
internal sealed class ScriptedJob(object spec, string scratch) : JobContext
{
    public List<string> Messages { get; } = [];

    public Dictionary<string, double> Metrics { get; } = [];

    public override string Id => "job_test";

    public override int Attempt => 1;

    public override System.Text.Json.JsonElement Spec { get; } =
        System.Text.Json.JsonSerializer.SerializeToElement(spec, spec.GetType(), Contracts.LlmOsJson.Options);

    public override string ScratchFolder => scratch;

    public override void Report(double progress, JobMessage message, IReadOnlyDictionary<string, double>? metrics = null, double? etaSeconds = null)
    {
        Messages.Add(message.Text);
        foreach (var (name, value) in metrics ?? new Dictionary<string, double>())
        {
            Metrics[name] = value;
        }
    }
}
