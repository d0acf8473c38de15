using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>The same way to a model that <c>/v1/completions</c> takes, for callers within the process.</summary>
internal sealed class TextService(ModelCatalogue catalogue, ModelHost host) : ITextService
{
    public Task RequireAsync(string model, string field, CancellationToken cancel) => FindAsync(model, field, cancel);

    public async Task<ITextReply> StartAsync(TextPrompt prompt, CancellationToken cancel)
    {
        var model = await FindAsync(prompt.Model, "model", cancel);
        var lease = await host.LeaseAsync(model, cancel);
        int[] ids;
        try
        {
            var tokenizer = lease.Model.Tokenizer ?? throw InferenceGate.NoTokenizer(lease.Model, "model");
            ids = tokenizer.Encode(prompt.Text, addSpecialTokens: true, parseSpecialTokens: false);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        var request = new TextRequest { Sampling = prompt.Sampling, MaxTokens = prompt.MaxTokens, Stop = prompt.Stop };
        var run = InferenceRun.Start(lease, [ids], new InferenceOrder(prompt.Field, request, Choices: 1, prompt.Sampling.Seed), together: 1);
        return new Reply(model.Reference, run);
    }

    private async Task<ServableModel> FindAsync(string name, string field, CancellationToken cancel)
    {
        try
        {
            var model = await catalogue.FindAsync(name, cancel);
            return model.Task == ModelIntake.TextGeneration
                ? model
                : throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model '{model.Name}' is for {model.Task}; this needs one for {ModelIntake.TextGeneration}.") { Field = field };
        }
        catch (LlmOsException refusal) when (refusal is { Code: ErrorCode.ModelNotFound, Field: null })
        {
            throw new LlmOsException(refusal.Code, refusal.Message, refusal) { Field = field, Hint = refusal.Hint };
        }
    }

    private sealed class Reply(string model, InferenceRun run) : ITextReply
    {
        public string Model => model;

        public int PromptTokens => run.Prompts[0].Length;

        public int CompletionTokens => run.Usage().CompletionTokens;

        public async IAsyncEnumerable<string> Pieces([EnumeratorCancellation] CancellationToken cancel)
        {
            await foreach (var (_, piece) in run.Pieces(cancel))
            {
                yield return piece.Text;
            }
        }

        public void Dispose() => run.Dispose();
    }
}
