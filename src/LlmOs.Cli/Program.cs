using System.CommandLine;
using LlmOs.Cli;

using var interrupts = new Interrupts();
var root = new RootCommand(
    """
    Runs and trains language models on an LlmOs server.

    LLMOS_URL  address of the server (default http://127.0.0.1:8080)
    LLMOS_KEY  key to send; the server prints the admin key at its first start
    """)
{
    RunCommand.Create(interrupts),
    ListCommand.Create(interrupts),
    ModelCommands.CreateShow(interrupts),
    PullCommand.Create(interrupts),
    CatalogueCommand.Create(interrupts),
    ImportCommand.Create(interrupts),
    CreateCommand.Create(interrupts),
    ModelCommands.CreateCopy(interrupts),
    ModelCommands.CreateRemove(interrupts),
    DataCommand.Create(interrupts),
    TrainCommand.Create(interrupts),
    EvalCommand.Create(interrupts),
    MetricCommand.Create(interrupts),
    TokenizeCommand.Create(interrupts),
    RunningCommands.CreateList(interrupts),
    RunningCommands.CreateLoad(interrupts),
    RunningCommands.CreateStop(interrupts),
    JobCommands.Create(interrupts),
    UsageCommand.Create(interrupts),
    ServeCommand.Create(),
    StoreCommands.CreateBackup(),
    StoreCommands.CreateRestore(),
    StoreCommands.CreateAdmin(),
};

var parsed = root.Parse(args);
var code = await parsed.InvokeAsync(new InvocationConfiguration
{
    // Signals are ours: in a conversation Ctrl-C stops the reply, not the program.
    ProcessTerminationTimeout = null,
    EnableDefaultExceptionHandler = false,
});
return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
