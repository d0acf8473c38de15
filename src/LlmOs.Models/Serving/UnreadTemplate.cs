using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Serving;

/// <summary>Stands for a chat template that this server cannot read: a conversation written in any other way would get answers of another model.</summary>
internal sealed class UnreadTemplate(string model) : IChatFormat
{
    public bool KnowsTools => false;

    public string Render(IReadOnlyList<TemplateMessage> messages, IReadOnlyList<JsonElement>? tools, bool continueLast) =>
        throw new LlmOsException(ErrorCode.TemplateError, $"The model {model} has a chat template, and this server does not render templates yet.")
        {
            Hint = "Write the conversation as the model expects it and send it to /v1/completions.",
        };
}
