using System.CommandLine;
using System.Globalization;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary><c>llmos eval SPEC</c>: sends a specification, follows the job and prints what it found; <c>llmos eval compare A B</c>.</summary>
internal static class EvalCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var file = new Argument<string>("SPEC") { Description = "Specification of the evaluation: a .yaml or .json file" };
        var model = new Option<string?>("--model", "-m") { Description = "The model to measure, instead of the specification's" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Print the job's id and do not wait" };
        var command = new Command("eval", "Measure a model") { file, model, detach };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var specification = SpecFile.With(await SpecFile.ReadAsync(parsed.GetValue(file)!, cancel), "model", parsed.GetValue(model));
            var job = await client.EvaluateAsync(specification, cancel);
            return await JobWatch.FollowAsync(client, job, parsed.GetValue(detach), cancel);
        }));
        command.Subcommands.Add(Compare(interrupts));
        return command;
    }

    private static Command Compare(Interrupts interrupts)
    {
        var first = new Argument<string>("FIRST") { Description = "A model, or an evaluation's id" };
        var second = new Argument<string>("SECOND") { Description = "The other one" };
        var command = new Command("compare", "Compare two evaluations of the same data") { first, second };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            var view = await client.CompareEvaluationsAsync(
                new EvaluationComparisonRequest { First = parsed.GetValue(first)!, Second = parsed.GetValue(second)! }, cancel);
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{view.Measure} {view.First.Model} {view.FirstScore:0.0000}, {view.Second.Model} {view.SecondScore:0.0000}: difference {view.Difference:+0.0000;-0.0000;0.0000} (95 % {view.Interval[0]:0.0000} to {view.Interval[1]:0.0000}), p = {view.PValue:0.####}, {view.Rows} rows, {view.Test}"));
            return ExitCode.Done;
        }));
        return command;
    }
}
