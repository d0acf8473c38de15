using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using LlmOs.Apps.Studio;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Apps.Running;

/// <summary>One use of an app: checks the inputs, makes the prompt, hands the text on.</summary>
internal sealed class AppRunner(ITextService text)
{
    /// <summary>Begins; the turn must be disposed.</summary>
    public async Task<AppTurn> StartAsync(App app, AppTemplate template, IReadOnlyDictionary<string, JsonElement> inputs, CancellationToken cancel)
    {
        var values = Check(template, inputs);
        var prompt = template.Render(values);
        var length = template.LengthInput is { } input ? int.Parse(values[input], CultureInfo.InvariantCulture) : template.MaxTokens;
        var reply = await text.StartAsync(new TextPrompt(app.Model, prompt, length, template.Stop, Sampling(app.ReadSettings(), template.Settings), "inputs"), cancel);
        return new AppTurn(template, prompt, reply);
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
internal sealed class AppTurn(AppTemplate template, string prompt, ITextReply reply) : IDisposable
{
    public async Task<InvokeReply> WholeAsync(CancellationToken cancel)
    {
        var answer = new StringBuilder();
        await foreach (var piece in Texts(cancel))
        {
            answer.Append(piece);
        }

        return new InvokeReply(Named(answer.ToString()), reply.Model, Usage);
    }

    /// <summary>The same text in pieces, then one event with model and usage.</summary>
    public async IAsyncEnumerable<InvokeEvent> Events([EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var piece in Texts(cancel))
        {
            yield return new InvokeEvent(Named(piece), Model: null, Usage: null);
        }

        yield return new InvokeEvent(new Dictionary<string, string>(), reply.Model, Usage);
    }

    public void Dispose() => reply.Dispose();

    private async IAsyncEnumerable<string> Texts([EnumeratorCancellation] CancellationToken cancel)
    {
        if (template.KeepsPrompt)
        {
            yield return prompt;
        }

        await foreach (var piece in reply.Pieces(cancel))
        {
            if (piece.Length > 0)
            {
                yield return piece;
            }
        }
    }

    private AppUsage Usage => new(reply.PromptTokens, reply.CompletionTokens, reply.PromptTokens + reply.CompletionTokens);

    private Dictionary<string, string> Named(string text) => new() { [template.Output] = text };
}
