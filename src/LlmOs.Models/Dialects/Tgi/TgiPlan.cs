using System.Security.Cryptography;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Dialects.Tgi;

/// <summary>A request with every argument checked.</summary>
/// <param name="Truncate">Tokens of the input that are kept; null: all.</param>
/// <param name="TopTokens">Whether the likeliest tokens are shown.</param>
internal sealed record TgiPlan(TextRequest Request, int Choices, long? Seed, string Inputs, int? Truncate, bool FullText, bool Details, bool Prefill, bool TopTokens)
{
    /// <summary>As of its version 3; the room that the context leaves may be less.</summary>
    private const int DefaultNewTokens = 1024;

    private const double MaxTemperature = 100;

    public static TgiPlan From(TgiRequest request, bool stream)
    {
        if (request.Inputs.Length == 0)
        {
            throw LlmOsException.Invalid("inputs", "'inputs' cannot be empty.");
        }

        var arguments = request.Parameters ?? new TgiParameters();
        GenerationRules.Refuse("parameters.grammar", GenerationRules.IsNothing(arguments.Grammar), "constrained decoding");
        GenerationRules.Refuse("parameters.watermark", GenerationRules.IsNothing(arguments.Watermark), "watermarks");
        var (sampling, isSampled) = ReadSampling(arguments);
        var bestOf = ReadBestOf(arguments, isSampled, stream);
        if (stream && arguments.DecoderInputDetails == true)
        {
            throw LlmOsException.Invalid("parameters.decoder_input_details", "'parameters.decoder_input_details' is not for streams. Ask /generate for it.");
        }

        var top = GenerationRules.CheckTopLogprobs("parameters.top_n_tokens", arguments.TopNTokens) ?? 0;
        var text = new TextRequest
        {
            MaxTokens = GenerationRules.CheckMaxTokens("parameters.max_new_tokens", arguments.MaxNewTokens) ?? DefaultNewTokens,
            Stop = GenerationRules.CheckStop("parameters.stop", arguments.Stop),
            KeepStop = true,
            TopLogprobs = top,
            Sampling = sampling,
        };
        return new TgiPlan(
            text,
            bestOf,
            isSampled ? SeedOf(arguments) : null,
            request.Inputs,
            (int?)GenerationRules.CheckWhole("parameters.truncate", arguments.Truncate, 1, int.MaxValue, "1 or more"),
            arguments.ReturnFullText ?? false,
            arguments.Details == true || arguments.DecoderInputDetails == true,
            arguments.DecoderInputDetails == true,
            top > 0);
    }

    /// <summary>What is asked of a model.</summary>
    /// <param name="ids">The input's end where it is cut; null: all of it.</param>
    public GenerationOrder ToOrder(ServableModel model, IReadOnlyList<int>? ids) => new()
    {
        Model = model,
        Operation = Operations.Completion,
        Field = "inputs",
        Prompts = [ids is null ? new GenerationPrompt { Text = Inputs } : new GenerationPrompt { Ids = ids }],
        Request = Request,
        Choices = Choices,
        Seed = Seed,
        PromptLogprobs = Prefill ? 0 : null,
        ScoringField = Prefill ? "parameters.decoder_input_details" : null,
        ArgumentsPath = "parameters.",
    };

    /// <summary>A number that changes the distribution asks for sampling as <c>do_sample</c> does.</summary>
    private static (SamplingParameters Sampling, bool IsSampled) ReadSampling(TgiParameters arguments)
    {
        var temperature = Positive("parameters.temperature", arguments.Temperature, MaxTemperature);
        var topP = Positive("parameters.top_p", arguments.TopP, 1);
        var typicalP = Positive("parameters.typical_p", arguments.TypicalP, 1);
        var topK = (int?)GenerationRules.CheckWhole("parameters.top_k", arguments.TopK, 1, int.MaxValue, "1 or more");
        var isSampled = arguments.DoSample == true || temperature is not (null or 1) || topK is not null || topP < 1 || typicalP < 1;
        var sampling = new SamplingParameters
        {
            Temperature = isSampled ? temperature ?? 1 : 0,
            TopK = topK ?? 0,
            TopP = topP ?? 1,
            TypicalP = typicalP ?? 1,
            RepetitionPenalty = GenerationRules.CheckPenalty("parameters.repetition_penalty", arguments.RepetitionPenalty),
            FrequencyPenalty = GenerationRules.CheckNumber("parameters.frequency_penalty", arguments.FrequencyPenalty, -2, 2) ?? 0,
        };
        return (sampling, isSampled);
    }

    private static int ReadBestOf(TgiParameters arguments, bool isSampled, bool stream)
    {
        const string Field = "parameters.best_of";
        var bestOf = GenerationRules.CheckChoices(Field, arguments.BestOf);
        return bestOf == 1 ? 1
            : stream ? throw LlmOsException.Invalid(Field, $"'{Field}' above 1 is not for streams: which text is best is known at the end alone.")
            : !isSampled ? throw LlmOsException.Invalid(Field, $"'{Field}' above 1 needs sampling, such as 'do_sample': true: greedy texts are all the same.")
            : arguments.Seed is not null ? throw LlmOsException.Invalid(Field, $"'{Field}' above 1 and a 'seed' do not go together.")
            : bestOf;
    }

    /// <summary>The seed that is stated, else one that is drawn here, so that it can be reported.</summary>
    private static long SeedOf(TgiParameters arguments) =>
        GenerationRules.CheckWhole("parameters.seed", arguments.Seed, 0, long.MaxValue, "0 or more")
            ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & int.MaxValue;

    private static double? Positive(string field, double? value, double max) =>
        value == 0 ? throw LlmOsException.Invalid(field, $"'{field}' must be above 0.") : GenerationRules.CheckNumber(field, value, 0, max);
}
