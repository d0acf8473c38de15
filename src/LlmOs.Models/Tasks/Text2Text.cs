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
    private const int MaxTokens = 1_000_000;

    public static bool IsTask(string task) =>
        task is "text2text-generation" or "summarization" or "translation" || task.StartsWith("translation_", StringComparison.Ordinal);

    public static async Task<object> RunAsync(IGenerationService generation, ServableModel model, string task, PipelineRequest request, GenerationCaller caller, CancellationToken cancel)
    {
        var (texts, isList) = PipelineInputs.Texts(request.Inputs);
        var parameters = request.Parameters ?? new PipelineParameters();
        var order = new GenerationOrder
        {
            Model = model,
            Operation = Operations.OfTask(task),
            Field = "inputs",
            ArgumentsPath = "parameters.",
            Prompts = [.. texts.Select((text, i) => new GenerationPrompt { Text = text, Field = isList ? $"inputs[{i}]" : "inputs" })],
            Seed = parameters.Seed,
            Seq2Seq = new Seq2SeqOrder(task, Stated(parameters), parameters.SrcLang, parameters.TgtLang, EncoderPipeline.TruncationOf(parameters)),
        };
        await using var run = await generation.WriteAsync(order, caller, cancel);
        var replies = Enumerable.Range(0, texts.Count * run.Choices).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var shaped = replies.Chunk(run.Choices).Select(choices => choices.Select(reply => Shape(task, reply.Text)).ToList()).ToList();
        return !isList ? shaped[0] : run.Choices == 1 ? shaped.ConvertAll(a => a[0]) : shaped;
    }

    private static object Shape(string task, string text) => task switch
    {
        "summarization" => new SummaryAnswer(text),
        "text2text-generation" => new TextAnswer(text),
        _ => new TranslationAnswer(text),
    };

    /// <summary>What the request states, checked.</summary>
    private static GenerateArguments Stated(PipelineParameters p)
    {
        int? Whole(string field, long? value, long min = 1) => (int?)GenerationRules.CheckWhole("parameters." + field, value, min, MaxTokens, $"{min} to {MaxTokens}");
        double? Number(string field, double? value, double min, double max) => GenerationRules.CheckNumber("parameters." + field, value, min, max);
        return new GenerateArguments
        {
            MaxNewTokens = Whole("max_new_tokens", p.MaxNewTokens),
            MaxLength = Whole("max_length", p.MaxLength),
            MinNewTokens = Whole("min_new_tokens", p.MinNewTokens, 0),
            MinLength = Whole("min_length", p.MinLength, 0),
            NumBeams = Whole("num_beams", p.NumBeams),
            NumReturnSequences = p.NumReturnSequences is null ? null : GenerationRules.CheckChoices("parameters.num_return_sequences", p.NumReturnSequences),
            LengthPenalty = Number("length_penalty", p.LengthPenalty, -100, 100),
            EarlyStopping = BeamFields.EarlyStoppingOf("parameters.early_stopping", p.EarlyStopping),
            NoRepeatNgramSize = Whole("no_repeat_ngram_size", p.NoRepeatNgramSize, 0),
            RepetitionPenalty = p.RepetitionPenalty is null ? null : GenerationRules.CheckPenalty("parameters.repetition_penalty", p.RepetitionPenalty),
            DoSample = p.DoSample,
            Temperature = Number("temperature", p.Temperature, 1e-6, 100),
            TopK = Whole("top_k", p.TopK is PipelineParameters.All ? null : p.TopK, 0),
            TopP = Number("top_p", p.TopP, 1e-9, 1),
            MinP = Number("min_p", p.MinP, 0, 1),
            TypicalP = Number("typical_p", p.TypicalP, 1e-9, 1),
        };
    }
}
