using System.Text.Json;
using LlmOs.Contracts;
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
/// <param name="Request">How its texts end and what is shown of them.</param>
/// <param name="Stated">What it states of generation; the model's own settings hold for the rest.</param>
internal sealed record TextGenerationPlan(
    IReadOnlyList<GenerationInput> Inputs, bool IsList, TextRequest Request, GenerateArguments Stated, int Choices, long? Seed, GenerationOutput Output, bool Details, bool Stream)
{
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

    /// <summary>Read by the model before each text, not returned.</summary>
    public string Prefix { get; init; } = "";

    public bool? AddSpecialTokens { get; init; }

    public PromptCut? Cut { get; init; }

    /// <summary>Whether blanks before punctuation are taken away.</summary>
    public bool CleansUp { get; init; }

    /// <summary>Arguments that have no effect.</summary>
    public IReadOnlyList<string> Unused { get; init; } = [];

    /// <param name="samples">Whether the model's own settings draw tokens where the request does not say.</param>
    public static TextGenerationPlan From(PipelineRequest request, (IReadOnlyList<GenerationInput> Inputs, bool IsList) inputs, ServableModel model, bool samples)
    {
        var arguments = request.Parameters ?? new PipelineParameters();
        RefuseUnbuilt(arguments);
        var stream = request.Stream ?? false;
        var details = arguments.Details ?? false;
        var stated = new StatedArguments(arguments);
        var choices = stated.Choices;
        if (stream && (inputs.Inputs.Count > 1 || choices > 1))
        {
            throw LlmOsException.Invalid("stream", "'stream' takes one input and one text for it.");
        }

        var settings = stated.Read(model.Vocabulary);
        var text = new TextRequest
        {
            MaxTokens = int.MaxValue,
            Stop = stated.Stops,
            KeepStop = true,
            TopLogprobs = details || stream ? 0 : null,
            ContinuesPrompt = inputs.Inputs[0].Chat is null,
        };
        return new TextGenerationPlan(
            inputs.Inputs,
            inputs.IsList,
            text,
            settings,
            choices,
            stated.Seed,
            arguments.ReturnTensors == true ? GenerationOutput.TokenIds : arguments.ReturnFullText == false ? GenerationOutput.NewText : GenerationOutput.FullText,
            details,
            stream)
        {
            Prefix = arguments.Prefix ?? "",
            AddSpecialTokens = arguments.AddSpecialTokens,
            Cut = CutOf(arguments),
            CleansUp = arguments.CleanUpTokenizationSpaces ?? false,
            Unused = settings.DoSample ?? samples ? [] : [.. stated.Sampling().Select(name => $"{name} (needs do_sample)")],
        };
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
        Stated = Stated,
        Cut = Cut,
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

    /// <summary>A number is text-generation-inference's: so many tokens of a prompt's end.</summary>
    private static PromptCut? CutOf(PipelineParameters arguments)
    {
        if (arguments.Truncate is { ValueKind: JsonValueKind.Number } number)
        {
            return number.TryGetInt32(out var tokens) && tokens >= 1
                ? new PromptCut(Truncation.Left, tokens)
                : throw LlmOsException.Invalid("parameters.truncate", "'parameters.truncate' must be true, false or a whole number of 1 or more.");
        }

        var side = EncoderPipeline.CutOf(arguments).Side;
        return side == Truncation.None ? null : new PromptCut(side, null);
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
