using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.JobHost;

/// <summary>What a tally job is asked for.</summary>
/// <param name="Milliseconds">How long it works.</param>
public sealed record TallySpec(int Number, int Milliseconds);

/// <summary>
/// The shortest job that leaves a trace of all three kinds: a file that is another in each attempt, a line in the log, and a
/// row in the table <c>tally</c>, which has no rule against doubles. A second publication would be seen in each of them.
/// </summary>
internal sealed class TallyKind(NodeIdentity node, TimeProvider clock) : JobKind<TallySpec>
{
    private static readonly JobCode Counted = new("counted", "number {number}");

    public override string Word => "tally";

    protected override async Task<JobPublish> RunAsync(JobContext job, TallySpec spec, CancellationToken cancel)
    {
        job.Log(JobLogLevel.Info, Counted.With(("number", spec.Number)));
        using var content = new MemoryStream(Encoding.UTF8.GetBytes($"{spec.Number} by attempt {job.Attempt} on {node.Id}"));
        var blob = await job.StageAsync(content, cancel);
        await Task.Delay(TimeSpan.FromMilliseconds(spec.Milliseconds), clock, cancel);

        return async (db, cancel) =>
        {
            await db.Database.ExecuteSqlAsync(
                $"insert into tally (number, job, attempt, node, sha256) values ({spec.Number}, {job.Id}, {job.Attempt}, {node.Id}, {blob.Sha256})", cancel);
            return new { spec.Number, job.Attempt, Node = node.Id, blob.Sha256 };
        };
    }
}
