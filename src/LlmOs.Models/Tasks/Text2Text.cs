using LlmOs.Contracts;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Tasks;

/// <summary>
/// Text in, text out by an encoder-decoder: <c>text2text-generation</c>, <c>summarization</c> and <c>translation</c>. The
/// model's generation_config.json holds, over it its configuration's section for the task, over both the request.
/// </summary>
internal static class Text2Text
{
    public static bool IsTask(string task) =>
        task is "text2text-generation" or "summarization" or "translation" || task.StartsWith("translation_", StringComparison.Ordinal);

    public static async Task<object> RunAsync(IGenerationService generation, ServableModel model, string task, PipelineRequest request, GenerationCaller caller, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var stated = new StatedArguments(parameters);
        var order = new GenerationOrder
        {
            Model = model,
            Operation = Operations.OfTask(task),
            Field = "inputs",
            ArgumentsPath = "parameters.",
            Prompts = [.. texts.Select((text, i) => new GenerationPrompt { Text = text, Field = isList ? $"inputs[{i}]" : "inputs" })],
            Request = new TextRequest { MaxTokens = int.MaxValue, Stop = stated.Stops, KeepStop = true },
            Seed = stated.Seed,
            Seq2Seq = new Seq2SeqOrder(task, stated.Read(model.Vocabulary), parameters.SrcLang, parameters.TgtLang, EncoderPipeline.CutOf(parameters).Side),
        };
        await using var run = await generation.WriteAsync(order, caller, cancel);
        var replies = Enumerable.Range(0, texts.Count * run.Choices).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var shaped = replies.Chunk(run.Choices).Select(choices => choices.Select(reply => Shape(task, parameters.CleanUpTokenizationSpaces == true ? SpaceCleanUp.Of(reply.Text) : reply.Text)).ToList()).ToList();
        return !isList ? shaped[0] : run.Choices == 1 ? shaped.ConvertAll(a => a[0]) : shaped;
    }

    private static object Shape(string task, string text) => task switch
    {
        "summarization" => new SummaryAnswer(text),
        "text2text-generation" => new TextAnswer(text),
        _ => new TranslationAnswer(text),
    };
}
