using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Import;
using LlmOs.Models.Tokenizers;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tokenizers;

/// <summary>The job <c>tokenizer</c>: learns one from a text, measures it on the same text, and stores it.</summary>
internal sealed class TokenizerKind(LlmOsSettings settings, TimeProvider clock) : JobKind<TokenizerTrainingRequest>
{
    private const string FileName = "tokenizer.json";

    public override string Word => "tokenizer";

    public override Task<TokenizerTrainingRequest> CheckAsync(TokenizerTrainingRequest request, CancellationToken cancel)
    {
        TokenizerPlan.Of(request);
        ImportSource.ResolveFile(request.Text, "text", settings.ImportDirs);
        return Task.FromResult(request);
    }

    protected override string? SubjectOf(TokenizerTrainingRequest request) => request.Name;

    protected override async Task<JobPublish> RunAsync(JobContext job, TokenizerTrainingRequest request, CancellationToken cancel)
    {
        var plan = TokenizerPlan.Of(request);
        var text = ImportSource.ResolveFile(request.Text, "text", settings.ImportDirs);
        var path = Path.Combine(job.ScratchFolder, FileName);
        var (tokenizer, measure) = Guard(() => Make(job, plan, () => TextChunks.Read(text, TrainingPlan.EndOfText, request.Encoding), path, cancel));

        await using var content = File.OpenRead(path);
        var blob = await job.StageAsync(content, cancel);
        return async (db, cancel) =>
        {
            StoredTokenizerFile[] files = [new() { Path = FileName, Sha256 = blob.Sha256, Bytes = blob.Bytes }];
            var view = await StoredTokenizer.PutAsync(db, request.Name, tokenizer, files, clock.GetUtcNow(), cancel);
            return new TrainedTokenizerView(view.Name, view.Kind, view.Vocabulary, measure.Fertility, measure.Coverage, measure.Words, measure.Tokens, measure.Characters);
        };
    }

    private static (IOffsetTokenizer, TokenizerMeasure) Make(JobContext job, TokenizerPlan plan, Func<IEnumerable<TextChunk>> read, string path, CancellationToken cancel)
    {
        TokenizerTraining.Run(plan, read(), path, message => job.Report(0.1, message), cancel);
        var tokenizer = TokenizerJson.Load(path);
        if (tokenizer.VocabularySize < plan.Vocabulary)
        {
            job.Log(JobLogLevel.Warning, TokenizerCodes.FewRepeats.With(("wanted", plan.Vocabulary), ("found", tokenizer.VocabularySize)));
        }

        job.Report(0.8, TokenizerCodes.Measuring);
        var measure = new TokenizerMeasure(tokenizer, plan.Unknown);
        foreach (var chunk in read())
        {
            cancel.ThrowIfCancellationRequested();
            measure.Add(chunk.Text.ToString());
        }

        return measure.Words > 0 ? (tokenizer, measure) : throw LlmOsException.Invalid("text", "The text has no words.");
    }

    /// <summary>What is wrong with the text is the request's fault, not the server's.</summary>
    private static T Guard<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (InvalidDataException fault)
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, fault.Message, fault) { Field = "text" };
        }
    }
}
