using LlmOs.Trainer.Run;

namespace LlmOs.Trainer.Tests.Run;

public sealed class StepLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-test-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "steps.csv");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Whoever_is_killed_after_opening_finds_the_rows_of_the_checkpoint_again()
    {
        using (var log = StepLog.Open(Path, upTo: 0))
        {
            Add(log, 1, 4);
            log.Flush();
        }

        using var killed = StepLog.Open(Path, upTo: 3); // never flushed
        Add(killed, 4, 5);

        using var next = StepLog.Open(Path, upTo: 3);
        Assert.Equal([1L, 2, 3], next.Steps.Select(row => row.Step));
    }

    [Fact]
    public void Rows_of_steps_that_are_taken_again_are_cut_off_and_the_others_stay_as_they_were()
    {
        using (var log = StepLog.Open(Path, upTo: 0))
        {
            Add(log, 1, 5);
            log.Flush();
        }

        var before = File.ReadAllLines(Path);
        using (var log = StepLog.Open(Path, upTo: 2))
        {
            Add(log, 3, 3);
        }

        Assert.Equal(before[..4], File.ReadAllLines(Path));
    }

    [Fact]
    public void Rows_that_do_not_reach_the_checkpoint_are_told()
    {
        using (var log = StepLog.Open(Path, upTo: 0))
        {
            Add(log, 1, 2);
        }

        Assert.Contains("ends at step 2, before the checkpoint of step 3", Assert.Throws<InvalidDataException>(() => StepLog.Open(Path, upTo: 3)).Message, StringComparison.Ordinal);
    }

    private static void Add(StepLog log, long first, long last)
    {
        for (var step = first; step <= last; step++)
        {
            log.Add(new StepRecord(step, 1.0 / step, 0.001, step % 2 == 0 ? null : 0.5));
        }
    }
}
