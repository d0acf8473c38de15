using LlmOs.Formats.Text;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Prompts;

/// <summary>What makes a model's prompts, for routes that only count or show them: read from its files, without loading the model.</summary>
internal sealed class ModelPrompts(ModelTexts texts, TokenizerShelf shelf, TimeProvider clock)
{
    private const int MaxKept = 8;

    private readonly Lock _gate = new();
    private readonly LinkedList<(string Reference, ITokenizer Tokenizer, ChatPrompts Chat)> _recent = new();

    /// <param name="field">What the request wants tokenised, for the refusal.</param>
    public async Task<ITokenizer> TokenizerOfAsync(ServableModel model, string field, CancellationToken cancel) =>
        await shelf.OfAsync(model, cancel) ?? throw Refused.NoTokenizer(model.Reference, field);

    /// <summary>The model's templates with its tokenizer; kept for a while, so that a template is not parsed for each request.</summary>
    public async Task<ChatPrompts> ChatOfAsync(ServableModel model, ITokenizer tokenizer, CancellationToken cancel)
    {
        lock (_gate)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Reference == model.Reference && ReferenceEquals(node.Value.Tokenizer, tokenizer))
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    return node.Value.Chat;
                }
            }
        }

        var chat = new ChatPrompts(tokenizer, await texts.ReadChatAsync(model, cancel), clock);
        lock (_gate)
        {
            _recent.AddFirst((model.Reference, tokenizer, chat));
            while (_recent.Count > MaxKept)
            {
                _recent.RemoveLast();
            }
        }

        return chat;
    }
}
