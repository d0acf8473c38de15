using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos tokenize MODEL [TEXT]</c>: the tokens of a text or of a conversation's prompt, or the text of ids.</summary>
internal static class TokenizeCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var model = new Argument<string>("MODEL") { Description = "Name of a model, such as starter or starter:1" };
        var words = new Argument<string[]>("TEXT") { Description = "The text, or ids with --decode; without it standard input is read", Arity = ArgumentArity.ZeroOrMore };
        var ids = new Option<bool>("--ids") { Description = "Print the ids alone, on one line" };
        var special = new Option<bool>("--special") { Description = "Put the tokenizer's own special tokens around the text" };
        var chat = new Option<bool>("--chat") { Description = "The text is a user's message: show the prompt that the model's chat template makes of it" };
        var decode = new Option<bool>("--decode") { Description = "Turn ids into text" };
        var command = new Command("tokenize", "Show a model's tokens of a text, or the text of ids") { model, words, ids, special, chat, decode };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var name = parsed.GetValue(model)!;
            var text = parsed.GetValue(words) is { Length: > 0 } given ? string.Join(' ', given) : await Console.In.ReadToEndAsync(cancel);
            if (parsed.GetValue(decode))
            {
                var decoded = await client.DetokenizeAsync(new DetokenizeRequest { Model = name, Tokens = ReadIds(text) }, cancel);
                Console.Out.WriteLine(decoded.Content);
                return ExitCode.Done;
            }

            if (parsed.GetValue(chat))
            {
                var prompt = await client.ApplyTemplateAsync(new ApplyTemplateRequest { Model = name, Messages = [new ChatMessage { Role = "user", Content = text }] }, cancel);
                text = prompt.Prompt;
            }

            var reply = await client.TokenizeAsync(
                new TokenizeRequest { Model = name, Content = text, AddSpecial = parsed.GetValue(special), ParseSpecial = true, WithPieces = true }, cancel);
            Show(reply.Tokens.Deserialize<IReadOnlyList<TokenPiece>>(LlmOsJson.Options)!, parsed.GetValue(ids));
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Show(IReadOnlyList<TokenPiece> tokens, bool idsAlone)
    {
        if (idsAlone)
        {
            Console.Out.WriteLine(string.Join(' ', tokens.Select(t => t.Id)));
            return;
        }

        var table = Tables.New("ID", "TOKEN");
        foreach (var token in tokens)
        {
            table.AddRow(token.Id.ToString(CultureInfo.InvariantCulture), Markup.Escape(JsonSerializer.Serialize(token.Piece, LlmOsJson.Options)));
        }

        Tables.Write(table, "The text has no tokens.");
        Console.Error.WriteLine($"{tokens.Count} tokens");
    }

    private static List<int> ReadIds(string text)
    {
        var ids = new List<int>();
        foreach (var word in text.Split([' ', ',', '[', ']', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            ids.Add(int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? id
                : throw new UsageException($"'{word}' is no token id. Give whole numbers, such as: llmos tokenize starter --decode 12 345"));
        }

        return ids;
    }
}
