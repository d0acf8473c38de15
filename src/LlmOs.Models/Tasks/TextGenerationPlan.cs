using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Tasks;

/// <summary>One input of the pipeline: a text, or a conversation. Exactly one of the two is set.</summary>
internal sealed record GenerationInput(string? Text, IReadOnlyList<PipelineMessage>? Chat);

/// <summary>What an answer holds.</summary>
internal enum GenerationOutput
{
    NewText,
    FullText,
    TokenIds,
}

/// <summary>A <c>text-generation</c> request with every argument checked, in transformers' meaning.</summary>
/// <param name="IsList">A list came in, so a list of answers goes out, also for one input.</param>
internal sealed record TextGenerationPlan(
    IReadOnlyList<GenerationInput> Inputs, bool IsList, TextRequest Request, int Choices, long? Seed, string Prefix, bool? AddSpecialTokens, GenerationOutput Output, bool Details, bool Stream, IReadOnlyList<string> Unused)
{
    private const int DefaultNewTokens = 256;
    private const int MaxInputs = 2048;

    private static readonly string[] ChatRoles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>The inputs, of whichever form; refused by name when they have none of them.</summary>
    public static (IReadOnlyList<GenerationInput> Inputs, bool IsList) ReadInputs(JsonElement inputs)
    {
        switch (inputs.ValueKind)
        {
            case JsonValueKind.String:
                return ([new GenerationInput(inputs.GetString(), null)], IsList: false);
            case JsonValueKind.Array when inputs.GetArrayLength() is 0 or > MaxInputs:
                throw LlmOsException.Invalid("inputs", $"'inputs' must hold 1 to {MaxInputs} inputs, not {inputs.GetArrayLength()}.");
            case JsonValueKind.Array when inputs[0].ValueKind == JsonValueKind.Object:
                return ([new GenerationInput(null, ReadChat(inputs, "inputs"))], IsList: false);
            case JsonValueKind.Array:
                return ([.. inputs.EnumerateArray().Select(ReadInput)], IsList: true);
            default:
                throw LlmOsException.Invalid("inputs", "'inputs' must be a text, a list of texts, a conversation (a list of messages), or a list of conversations.");
        }
    }

    public static TextGenerationPlan From(PipelineRequest request, (IReadOnlyList<GenerationInput> Inputs, bool IsList) inputs)
    {
        var arguments = request.Parameters ?? new PipelineParameters();
        RefuseUnbuilt(arguments);
        var stream = request.Stream ?? false;
        var details = arguments.Details ?? false;
        var choices = GenerationRules.CheckChoices("parameters.num_return_sequences", arguments.NumReturnSequences);
        if (stream && (inputs.Inputs.Count > 1 || choices > 1))
        {
            throw LlmOsException.Invalid("stream", "'stream' takes one input and one text for it.");
        }

        var maxNew = GenerationRules.CheckMaxTokens("parameters.max_new_tokens", arguments.MaxNewTokens);
        var maxLength = GenerationRules.CheckMaxTokens("parameters.max_length", arguments.MaxLength);
        var (sampling, unused) = ReadSampling(arguments);
        var text = new TextRequest
        {
            MaxTokens = maxNew ?? (maxLength is null ? DefaultNewTokens : int.MaxValue),
            MaxLength = maxNew is null ? maxLength : null,
            MinTokens = (int)(GenerationRules.CheckWhole("parameters.min_new_tokens", arguments.MinNewTokens, 0, int.MaxValue, "0 or more") ?? 0),
            Stop = [.. GenerationRules.CheckStop("parameters.stop", arguments.Stop)
                .Concat(GenerationRules.CheckStop("parameters.stop_sequence", arguments.StopSequence))
                .Concat(GenerationRules.CheckStop("parameters.stop_strings", arguments.StopStrings))],
            KeepStop = true,
            TopLogprobs = details || stream ? 0 : null,
            ContinuesPrompt = inputs.Inputs[0].Chat is null,
            Sampling = sampling,
            Rules = new TokenRules { NoRepeatNgram = (int)(GenerationRules.CheckWhole("parameters.no_repeat_ngram_size", arguments.NoRepeatNgramSize, 0, int.MaxValue, "0 (no rule) or more") ?? 0) },
            MinLength = (int)(GenerationRules.CheckWhole("parameters.min_length", arguments.MinLength, 0, int.MaxValue, "0 or more") ?? 0),
            Beams = BeamFields.Read("parameters.", arguments.NumBeams, arguments.LengthPenalty, arguments.EarlyStopping, choices),
        };
        return new TextGenerationPlan(
            inputs.Inputs,
            inputs.IsList,
            text,
            choices,
            arguments.Seed,
            arguments.Prefix ?? "",
            arguments.AddSpecialTokens,
            arguments.ReturnTensors == true ? GenerationOutput.TokenIds : arguments.ReturnFullText == false ? GenerationOutput.NewText : GenerationOutput.FullText,
            details,
            stream,
            unused);
    }

    /// <summary>What is asked of a model.</summary>
    public GenerationOrder ToOrder(ServableModel model) => new()
    {
        Model = model,
        Operation = ModelIntake.TextGeneration,
        Field = "inputs",
        ArgumentsPath = "parameters.",
        Prompts = [.. Inputs.Select(input => input.Chat is { } chat
            ? new GenerationPrompt { Chat = ToConversation(chat) }
            : new GenerationPrompt { Text = Prefix + input.Text, AddSpecialTokens = AddSpecialTokens ?? true })],
        Request = Request,
        Choices = Choices,
        Seed = Seed,
    };

    /// <summary>Whether the last message is the assistant's own and is continued.</summary>
    public static bool ContinuesLast(IReadOnlyList<PipelineMessage> chat) => chat[^1].Role == "assistant";

    private static Conversation ToConversation(IReadOnlyList<PipelineMessage> chat) => new([.. chat.Select(m => new TemplateMessage(m.Role, m.Content))], ContinuesLast(chat))
    {
        AddGenerationPrompt = !ContinuesLast(chat),
    };

    private static void RefuseUnbuilt(PipelineParameters arguments)
    {
        GenerationRules.Refuse("parameters.grammar", GenerationRules.IsNothing(arguments.Grammar), "constrained decoding");
    }

    /// <summary>As in transformers, nothing is drawn unless <c>do_sample</c> says so; what then has no effect is told.</summary>
    private static (SamplingParameters Sampling, IReadOnlyList<string> Unused) ReadSampling(PipelineParameters arguments)
    {
        var temperature = GenerationRules.CheckNumber("parameters.temperature", arguments.Temperature, 0, 2);
        var topP = GenerationRules.CheckNumber("parameters.top_p", arguments.TopP, 0, 1);
        var topK = (int?)GenerationRules.CheckWhole("parameters.top_k", arguments.TopK is PipelineParameters.All ? null : arguments.TopK, 0, int.MaxValue, "0 (all) or more");
        var minP = GenerationRules.CheckNumber("parameters.min_p", arguments.MinP, 0, 1);
        var typicalP = GenerationRules.CheckNumber("parameters.typical_p", arguments.TypicalP, 0, 1);
        var sampling = new SamplingParameters { RepetitionPenalty = GenerationRules.CheckPenalty("parameters.repetition_penalty", arguments.RepetitionPenalty) };
        if (arguments.DoSample == true)
        {
            return (sampling with
            {
                Temperature = temperature ?? 1,
                TopP = GenerationRules.NotNothing(topP ?? 1),
                TopK = topK ?? 0,
                MinP = minP ?? 0,
                TypicalP = GenerationRules.NotNothing(typicalP ?? 1),
            }, []);
        }

        string?[] unused =
        [
            temperature is null ? null : "temperature (needs do_sample)",
            topP is null ? null : "top_p (needs do_sample)",
            topK is null ? null : "top_k (needs do_sample)",
            minP is null ? null : "min_p (needs do_sample)",
            typicalP is null ? null : "typical_p (needs do_sample)",
        ];
        return (sampling with { Temperature = 0 }, [.. unused.OfType<string>()]);
    }

    private static GenerationInput ReadInput(JsonElement input, int at) => input.ValueKind switch
    {
        JsonValueKind.String => new GenerationInput(input.GetString(), null),
        JsonValueKind.Array when input.GetArrayLength() > 0 => new GenerationInput(null, ReadChat(input, $"inputs[{at}]")),
        _ => throw LlmOsException.Invalid($"inputs[{at}]", $"'inputs[{at}]' must be a text or a conversation."),
    };

    private static List<PipelineMessage> ReadChat(JsonElement chat, string field)
    {
        var messages = new List<PipelineMessage>();
        foreach (var message in chat.EnumerateArray())
        {
            var at = $"{field}[{messages.Count}]";
            messages.Add(message.ValueKind == JsonValueKind.Object
                && message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String && ChatRoles.Contains(role.GetString())
                && message.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
                ? new PipelineMessage(role.GetString()!, content.GetString()!)
                : throw LlmOsException.Invalid(at, $"'{at}' must be a message: {{\"role\":\"user\",\"content\":\"...\"}} with a role of {string.Join(", ", ChatRoles)}."));
        }

        return messages;
    }
}
