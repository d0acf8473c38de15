using System.CommandLine;
using System.Diagnostics;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary><c>llmos run MODEL [prompt]</c>: one reply, or a conversation where there is a terminal and no prompt.</summary>
internal static class RunCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var model = new Argument<string>("MODEL") { Description = "Name of a model, such as starter or starter:1" };
        var prompt = new Argument<string[]>("PROMPT") { Description = "What to say; without it a conversation begins, or the prompt is read from standard input", Arity = ArgumentArity.ZeroOrMore };
        var system = new Option<string?>("--system") { Description = "Instructions that stand before the conversation" };
        var raw = new Option<bool>("--raw") { Description = "Continue the prompt as plain text, without the model's chat format" };
        var maxTokens = new Option<int?>("--max-tokens", "-n") { Description = "Maximum tokens of a reply" };
        var temperature = new Option<double?>("--temperature", "-t") { Description = "0 always takes the likeliest token" };
        var topP = new Option<double?>("--top-p") { Description = "Share of the probability that tokens are drawn from" };
        var seed = new Option<long?>("--seed") { Description = "Repeats a run" };
        var verbose = new Option<bool>("--verbose") { Description = "Show the speed after each reply" };
        var command = new Command("run", "Ask a model, or talk with it") { model, prompt, system, raw, maxTokens, temperature, topP, seed, verbose };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var conversation = new Conversation(client, interrupts, Console.Out, Console.Error)
            {
                Model = parsed.GetValue(model)!,
                System = parsed.GetValue(system),
                Raw = parsed.GetValue(raw),
                Verbose = parsed.GetValue(verbose),
                PlainOutput = Console.IsOutputRedirected,
                Settings = new GenerationSettings
                {
                    MaxTokens = parsed.GetValue(maxTokens),
                    Temperature = parsed.GetValue(temperature),
                    TopP = parsed.GetValue(topP),
                    Seed = parsed.GetValue(seed),
                },
            };
            if (parsed.GetValue(prompt) is { Length: > 0 } words)
            {
                return await conversation.AnswerAsync(string.Join(' ', words));
            }

            if (!Console.IsInputRedirected)
            {
                return await conversation.TalkAsync(Console.In);
            }

            var text = await Console.In.ReadToEndAsync(cancel);
            return string.IsNullOrWhiteSpace(text)
                ? throw new UsageException("There is no prompt: give one on the command line or on standard input.")
                : await conversation.AnswerAsync(text.TrimEnd('\r', '\n'));
        }));
        return command;
    }
}

/// <summary>Streams replies to a terminal and keeps the turns of a conversation.</summary>
internal sealed class Conversation(LlmOsClient client, Interrupts interrupts, TextWriter output, TextWriter notes)
{
    private readonly List<ChatTurn> _turns = [];

    public required string Model { get; init; }

    public string? System { get; init; }

    public bool Raw { get; init; }

    public bool Verbose { get; init; }

    /// <summary>Whether the output is a file or a pipe, which gets the text byte for byte.</summary>
    public bool PlainOutput { get; init; }

    public GenerationSettings Settings { get; init; } = new();

    /// <summary>One prompt, one reply.</summary>
    public async Task<int> AnswerAsync(string prompt) =>
        await ReplyAsync(prompt) ? ExitCode.Interrupted : ExitCode.Done;

    /// <summary>Turn by turn until the input ends or <c>/bye</c>.</summary>
    public async Task<int> TalkAsync(TextReader input)
    {
        notes.WriteLine($"Talking with {Model}. /clear forgets the conversation, /bye ends it, Ctrl-C stops a reply.");
        while (true)
        {
            output.Write(">>> ");
            output.Flush();
            var line = interrupts.ReadLine(input)?.Trim();
            switch (line)
            {
                case null or "/bye":
                    return ExitCode.Done;
                case "":
                    break;
                case "/clear":
                    _turns.Clear();
                    break;
                case ['/', ..]:
                    notes.WriteLine($"There is no command {line}; there are /clear and /bye.");
                    break;
                default:
                    await TurnAsync(line);
                    break;
            }
        }
    }

    /// <summary>A refused turn is taken back, so that the next one stands on what was really said.</summary>
    private async Task TurnAsync(string line)
    {
        var before = _turns.Count;
        try
        {
            await ReplyAsync(line);
        }
        catch (LlmOsApiException e) when (e.Code is not "invalid_api_key" and not "model_not_found")
        {
            _turns.RemoveRange(before, _turns.Count - before);
            notes.WriteLine(Connection.Describe(e, hasKey: true));
            if (e.Code == "context_length_exceeded")
            {
                notes.WriteLine("/clear starts a new conversation.");
            }
        }
    }

    /// <summary>True when Ctrl-C stopped the reply; what came until then stays in the conversation.</summary>
    private async Task<bool> ReplyAsync(string prompt)
    {
        _turns.Add(new ChatTurn("user", prompt));
        var reply = new System.Text.StringBuilder();
        var watch = Stopwatch.StartNew();
        ReplyPiece? last = null;
        string? finish = null;
        var stopped = await interrupts.StoppedAsync(async cancel =>
        {
            await foreach (var piece in Pieces(prompt, cancel))
            {
                (last, finish) = (piece, piece.FinishReason ?? finish);
                reply.Append(piece.Text);
                output.Write(PlainOutput ? piece.Text : Printable(piece.Text));
                output.Flush();
            }
        });
        output.WriteLine();
        _turns.Add(new ChatTurn("assistant", reply.ToString()));
        if (Verbose && last?.CompletionTokens is { } tokens)
        {
            notes.WriteLine($"{tokens} tokens in {watch.Elapsed.TotalSeconds:0.00} s, {tokens / watch.Elapsed.TotalSeconds:0.0} tokens/s, finish: {finish ?? "none"}");
        }

        return stopped;
    }

    private IAsyncEnumerable<ReplyPiece> Pieces(string prompt, CancellationToken cancel) =>
        Raw
            ? client.CompleteAsync(Model, prompt, Settings, cancel)
            : client.ChatAsync(Model, System is null ? _turns : [new ChatTurn("system", System), .. _turns], Settings, cancel);

    /// <summary>A model's text may hold escape sequences; a terminal must not obey them.</summary>
    private static string Printable(string text) =>
        string.Concat(text.Where(c => !char.IsControl(c) || c is '\n' or '\t'));
}
