using System.CommandLine;

namespace LlmOs.Cli;

/// <summary><c>llmos train SPEC</c>: sends a specification and follows the job.</summary>
internal static class TrainCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var file = new Argument<string>("SPEC") { Description = "Specification of the training job: a .yaml or .json file" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Print the job's id and do not wait" };
        var command = new Command("train", "Train a model") { file, detach };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var specification = await SpecFile.ReadAsync(parsed.GetValue(file)!, cancel);
            var job = await client.TrainAsync(specification, cancel);
            return await JobWatch.FollowAsync(client, job, parsed.GetValue(detach), cancel);
        }));
        return command;
    }
}
