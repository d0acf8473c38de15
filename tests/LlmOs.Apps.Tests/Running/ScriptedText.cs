using System.Runtime.CompilerServices;
using LlmOs.Models.Generation;

namespace LlmOs.Apps.Tests.Running;

/// <summary>A model that says what a test wrote down, and notes what it was asked.</summary>
internal sealed class ScriptedText(params string[] pieces) : ITextService
{
    public TextPrompt? Asked { get; private set; }

    public int Disposed { get; private set; }

    public Task RequireAsync(string model, string field, CancellationToken cancel) => Task.CompletedTask;

    public Task<ITextReply> StartAsync(TextPrompt prompt, CancellationToken cancel)
    {
        Asked = prompt;
        return Task.FromResult<ITextReply>(new Reply(this, pieces));
    }

    private sealed class Reply(ScriptedText owner, string[] pieces) : ITextReply
    {
        public string Model => "starter:1";

        public int PromptTokens => 7;

        public int CompletionTokens { get; private set; }

        public async IAsyncEnumerable<string> Pieces([EnumeratorCancellation] CancellationToken cancel)
        {
            foreach (var piece in pieces)
            {
                await Task.Yield();
                cancel.ThrowIfCancellationRequested();
                CompletionTokens++;
                yield return piece;
            }
        }

        public void Dispose() => owner.Disposed++;
    }
}
