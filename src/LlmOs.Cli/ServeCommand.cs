using System.CommandLine;

namespace LlmOs.Cli;

/// <summary><c>llmos serve</c>: runs the server in this terminal.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var words = new Argument<string[]>("ARGUMENTS") { Description = "Passed on to the server, such as --urls http://127.0.0.1:9000", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("serve", "Run the server in this terminal") { words };
        // The server checks its own options.
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((parsed, _) => ServerProgram.RunAsync([.. parsed.GetValue(words) ?? [], .. parsed.UnmatchedTokens]));
        return command;
    }
}
