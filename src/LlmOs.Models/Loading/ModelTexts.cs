using LlmOs.Formats;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Prompts;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Loading;

/// <summary>Reads the small files of a stored version: configurations and chat templates.</summary>
internal sealed partial class ModelTexts(ArtifactStore store, ILogger<ModelTexts> log)
{
    /// <summary>The configuration, and the architecture that it names.</summary>
    public Task<(Architecture Architecture, ModelConfig Config)> ReadConfigAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadConfig(), cancel);

    /// <summary>The ids that end a reply, and the id that begins a text.</summary>
    public Task<(IReadOnlyList<int> EndTokens, int? BeginToken)> ReadIdsAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadIds(), cancel);

    /// <summary>How sentences become vectors.</summary>
    public Task<SentenceLayout> ReadSentenceLayoutAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadSentences(), cancel);

    /// <summary>What a model's files say of generation.</summary>
    public Task<GenerationSetup> ReadGenerationAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadGeneration(), cancel);

    /// <summary>Tokens to which the tokenizer cuts a text that may be cut; null where no file says it.</summary>
    public Task<int?> ReadTokenizerLimitAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadTokenizerLimit(), cancel);

    /// <summary>What a classifier's scores stand for.</summary>
    public Task<EncoderLabels> ReadLabelsAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadLabels(), cancel);

    /// <summary>The chat templates with the words they may use.</summary>
    public Task<ChatSources> ReadChatAsync(ServableModel model, CancellationToken cancel) =>
        ReadAsync(model, files => files.ReadChat(), cancel);

    /// <summary>What can be asked of a model, as <c>/v1/models</c> shows it. Files that cannot be read harm their own model alone.</summary>
    public async Task<IReadOnlyList<string>> ReadCapabilitiesAsync(ServableModel model, CancellationToken cancel)
    {
        try
        {
            var chat = await ReadChatAsync(model, cancel);
            return ["completion", .. chat.Templates.Count == 0 ? Array.Empty<string>() : chat.KnowsTools ? ["chat", "tools"] : ["chat"]];
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LogUnreadable(model.Reference, fault);
            return ["completion"];
        }
    }

    private Task<T> ReadAsync<T>(ServableModel model, Func<SideFiles, T> read, CancellationToken cancel) =>
        Task.Run(() => read(new SideFiles([.. model.Files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))])), cancel);

    [LoggerMessage(LogLevel.Warning, "The files of {Model} that say how it converses cannot be read; it is listed without that")]
    private partial void LogUnreadable(string model, Exception cause);
}
