using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Generation;

/// <summary>Runs models of this process.</summary>
internal sealed class GenerationService(ModelCatalogue catalogue, ModelHost host, ServingGraphs graphs, UsageLedger ledger, IOptions<ServingOptions> options, TimeProvider clock) : IGenerationService
{
    private readonly TimeSpan? _timeout = options.Value.TimeoutSeconds > 0 ? TimeSpan.FromSeconds(options.Value.TimeoutSeconds) : null;
    private readonly RunLimits _limits = new(options.Value.SequencesPerRequest, new ScoreLimit());

    public async Task<ServableModel> FindAsync(string? name, ModelNeed need, string field, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(name))
        {
            throw LlmOsException.Invalid(field, $"'{field}' is missing. Name one of the models that GET /v1/models lists.");
        }

        ServableModel model;
        try
        {
            model = await catalogue.FindAsync(name, cancel);
        }
        catch (LlmOsException refusal) when (refusal is { Code: ErrorCode.ModelNotFound, Field: null })
        {
            throw new LlmOsException(refusal.Code, refusal.Message, refusal) { Field = field, Hint = refusal.Hint ?? "GET /v1/models lists those that there are." };
        }

        Require(model, need, field);
        return model;
    }

    public async Task<ServableModel> FindOnlyAsync(string? name, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(name))
        {
            name = await catalogue.ListAsync(null, 2, cancel) is [var only]
                ? only.Name
                : throw LlmOsException.Invalid("model", $"'model' is missing, and there are {await catalogue.CountAsync(cancel)} models. Name one of those that GET /v1/models lists.");
        }

        return await FindAsync(name, ModelNeed.Any, "model", cancel);
    }

    public async Task<ITextRun> WriteAsync(GenerationOrder order, GenerationCaller caller, CancellationToken cancel)
    {
        Require(order.Model, ModelNeed.Writing, "model");
        var deadline = new Deadline(order.Timeout ?? (caller.JobId is null ? _timeout : null), clock);
        try
        {
            var lease = await deadline.WithinAsync(token => host.LeaseAsync(order.Model, token, order.KeepAlive), cancel);
            return await TextRun.StartAsync(lease, order, caller, _limits, deadline, Recorder(order.Model.Reference, order.Operation, caller), cancel);
        }
        catch
        {
            deadline.Dispose();
            throw;
        }
    }

    public async Task<IScoringRun> ScoreAsync(ServableModel model, GenerationCaller caller, CancellationToken cancel)
    {
        Require(model, ModelNeed.Scoring, "model");
        return await HoldAsync(model, async lease => lease.Model.Tokenizer is null
            ? throw Refused.NoTokenizer(model.Reference, "model")
            : new ScoringRun(lease, await EnterAsync(lease.Model.Engine.Enter, caller, cancel), Recorder(model.Reference, Operations.Scoring, caller)), cancel);
    }

    public async Task<IEncoderRun> ReadAsync(ServableModel model, string operation, GenerationCaller caller, CancellationToken cancel)
    {
        Require(model, ModelNeed.Reading, "model");
        return await HoldAsync(model, async lease => new EncoderRun(
            lease.Encoder,
            await EnterAsync(lease.Encoder.Engine.Enter, caller, cancel),
            lease,
            lease.Waited,
            Recorder(model.Reference, operation, caller)), cancel);
    }

    public async Task<IProbeRun> ProbeAsync(UnlistedModel model, GenerationCaller caller, CancellationToken cancel)
    {
        var graph = (ServingGraph)await graphs.OpenAsync(model.Files, model.Precision, cancel);
        return ProbeRun.Open(graph, clock, Recorder(model.Name, Operations.Parity, caller));
    }

    /// <summary>Takes a lease for a run, and gives it back where there comes none.</summary>
    private async Task<T> HoldAsync<T>(ServableModel model, Func<ModelLease, Task<T>> begin, CancellationToken cancel)
    {
        var lease = await host.LeaseAsync(model, cancel);
        try
        {
            return await begin(lease);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>A place in an engine. A job waits for one, since nobody would send it again.</summary>
    private async Task<EnginePlace> EnterAsync(Func<EngineCaller, EnginePlace> enter, GenerationCaller caller, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return enter(caller.ToEngine());
            }
            catch (EngineBusyException busy) when (caller.JobId is not null)
            {
                await Task.Delay(busy.RetryAfter, clock, cancel);
            }
            catch (EngineBusyException busy)
            {
                throw InferenceFaults.AsRefusal(busy)!;
            }
        }
    }

    private static void Require(ServableModel model, ModelNeed need, string field)
    {
        var needed = need switch
        {
            ModelNeed.Writing when !IsWriter(model) => $"this route needs one for {ModelIntake.TextGeneration}",
            ModelNeed.Continuing when model.Task != ModelIntake.TextGeneration => $"this needs one for {ModelIntake.TextGeneration}",
            ModelNeed.Scoring when model.Task != ModelIntake.TextGeneration => $"an evaluation needs one for {ModelIntake.TextGeneration}",
            ModelNeed.Reading when IsWriter(model) => "this needs one that reads texts (an encoder)",
            _ => null,
        };
        if (needed is not null)
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model '{model.Name}' is for {model.Task}; {needed}.") { Field = field };
        }

        if (need == ModelNeed.Scoring && TokenizerFolder.FilesOf(model.Files.Select(f => f.Path)).Count == 0)
        {
            throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {model.Reference} was imported without a tokenizer, so it cannot read text.") { Field = field };
        }
    }

    private static bool IsWriter(ServableModel model) => model.Task is ModelIntake.TextGeneration or ModelIntake.Text2Text;

    /// <summary>Keeps what a run cost.</summary>
    private Func<GenerationUsage, Task> Recorder(string model, string operation, GenerationCaller caller) => usage => ledger.AddAsync(new UsageRecord
    {
        CreatedAt = clock.GetUtcNow(),
        Operation = operation,
        Model = model,
        PromptTokens = usage.PromptTokens,
        CachedTokens = usage.CachedTokens,
        GeneratedTokens = usage.GeneratedTokens,
        QueueMs = Math.Round(usage.QueueTime.TotalMilliseconds, 3),
        PromptMs = Math.Round(usage.PromptTime.TotalMilliseconds, 3),
        DecodeMs = Math.Round(usage.DecodeTime.TotalMilliseconds, 3),
        LoadMs = Math.Round(usage.LoadTime.TotalMilliseconds, 3),
        KeyId = caller.KeyId,
        UserId = caller.UserId,
        App = caller.App,
        JobId = caller.JobId,
    });
}
