using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using LlmOs.Apps.Studio;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;

namespace LlmOs.Apps.Running;

/// <summary>One use of an app: checks the inputs, makes the prompt, hands the text on.</summary>
internal sealed class AppRunner(IGenerationService generation)
{
    /// <summary>Begins; the turn must be disposed.</summary>
    public async Task<AppTurn> StartAsync(App app, AppTemplate template, IReadOnlyDictionary<string, JsonElement> inputs, GenerationCaller caller, CancellationToken cancel)
    {
        var values = Check(template, inputs);
        var prompt = template.Render(values);
        var length = template.LengthInput is { } input ? int.Parse(values[input], CultureInfo.InvariantCulture) : template.MaxTokens;
        var sampling = Sampling(app.ReadSettings(), template.Settings);
        var order = new GenerationOrder
        {
            Model = await generation.FindAsync(app.Model, ModelNeed.Continuing, "model", cancel),
            Operation = Operations.Completion,
            Field = "inputs",
            Prompts = [new GenerationPrompt { Text = prompt }],
            Request = new TextRequest { Sampling = sampling, MaxTokens = length, Stop = template.Stop },
            Seed = sampling.Seed,
        };
        return new AppTurn(template, prompt, await generation.WriteAsync(order, caller with { App = app.Slug }, cancel));
    }

    /// <summary>The values as they go into the prompt, defaults filled in; a refusal names every input at fault.</summary>
    internal static IReadOnlyDictionary<string, string> Check(AppTemplate template, IReadOnlyDictionary<string, JsonElement> inputs)
    {
        var values = new Dictionary<string, string>();
        var faults = new Dictionary<string, string[]>();
        foreach (var input in template.Inputs)
        {
            var (value, fault) = inputs.TryGetValue(input.Name, out var given)
                ? input.Read(given)
                : (input.Default, input.Default is null ? "is missing." : null);
            if (fault is null)
            {
                values[input.Name] = value!;
            }
            else
            {
                faults[$"inputs.{input.Name}"] = [$"inputs.{input.Name}: {fault}"];
            }
        }

        foreach (var name in inputs.Keys.Where(n => template.Inputs.All(i => i.Name != n)))
        {
            faults[$"inputs.{name}"] = [$"inputs.{name}: the template '{template.Name}' has no such input; it has {string.Join(", ", template.Inputs.Select(i => i.Name))}."];
        }

        if (faults.Count == 0)
        {
            return values;
        }

        var (field, messages) = faults.First();
        throw new LlmOsException(ErrorCode.InvalidRequest, messages[0]) { Field = field, Errors = faults };
    }

    /// <summary>What the app says counts, then what the template says, then what changes nothing.</summary>
    internal static SamplingParameters Sampling(AppSettings app, AppSettings template) => new()
    {
        Temperature = app.Temperature ?? template.Temperature ?? 1,
        TopK = app.TopK ?? template.TopK ?? 0,
        TopP = app.TopP ?? template.TopP ?? 1,
        RepetitionPenalty = app.RepetitionPenalty ?? template.RepetitionPenalty ?? 1,
        Seed = app.Seed,
    };
}

/// <summary>One use under way.</summary>
internal sealed class AppTurn(AppTemplate template, string prompt, ITextRun run) : IAsyncDisposable
{
    public async Task<InvokeReply> WholeAsync(CancellationToken cancel)
    {
        var answer = new StringBuilder();
        await foreach (var piece in Texts(cancel))
        {
            answer.Append(piece);
        }

        return new InvokeReply(Named(answer.ToString()), run.Model.Reference, await EndAsync());
    }

    /// <summary>The same text in pieces, then one event with model and usage.</summary>
    public async IAsyncEnumerable<InvokeEvent> Events([EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var piece in Texts(cancel))
        {
            yield return new InvokeEvent(Named(piece), Model: null, Usage: null);
        }

        yield return new InvokeEvent(new Dictionary<string, string>(), run.Model.Reference, await EndAsync());
    }

    public ValueTask DisposeAsync() => run.DisposeAsync();

    private async IAsyncEnumerable<string> Texts([EnumeratorCancellation] CancellationToken cancel)
    {
        if (template.KeepsPrompt)
        {
            yield return prompt;
        }

        await foreach (var piece in run.Pieces(cancel))
        {
            if (piece.Text.Length > 0)
            {
                yield return piece.Text;
            }
        }
    }

    private async Task<AppUsage> EndAsync()
    {
        var usage = await run.EndAsync();
        return new AppUsage(usage.PromptTokens, usage.GeneratedTokens, usage.PromptTokens + usage.GeneratedTokens);
    }

    private Dictionary<string, string> Named(string text) => new() { [template.Output] = text };
}
