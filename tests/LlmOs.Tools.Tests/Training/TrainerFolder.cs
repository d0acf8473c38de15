using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

/// <summary>A folder with a text, and the trainer that the build made, run in it.</summary>
internal sealed class TrainerFolder : IDisposable
{
    public TrainerFolder()
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(Text, Story(seed: 1, sentences: 4_000));
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"llmos-training-{Guid.NewGuid():n}");

    public string Text => System.IO.Path.Combine(Path, "text.txt");

    public string Result => System.IO.Path.Combine(Path, "result");

    /// <summary>The executable; there is always one, because this project builds it.</summary>
    public static string Trainer { get; } = TrainerLocator.Find(null, AppContext.BaseDirectory)
        ?? throw new InvalidOperationException("The build made no trainer.");

    /// <summary>A few hundred words in sentences that a tiny model can learn.</summary>
    public static string Story(int seed, int sentences)
    {
        string[] who = ["The king", "A fox", "The old woman", "Her youngest son", "The miller"];
        string[] did = ["went into", "looked for", "was afraid of", "came out of", "sang about"];
        string[] what = ["the dark forest", "a golden apple", "the deep sea", "the glass mountain", "his own house"];
        var random = new Random(seed);
        var text = new StringBuilder();
        for (var i = 0; i < sentences; i++)
        {
            text.Append(who[random.Next(5)]).Append(' ').Append(did[random.Next(5)]).Append(' ').Append(what[random.Next(5)]).Append('.');
            text.Append(i % 20 == 19 ? "\n<|endoftext|>\n" : i % 4 == 3 ? "\n" : " ");
        }

        return text.ToString();
    }

    public static TrainingRequest Request(int steps = 60) => new()
    {
        Name = "tiny",
        Text = "file:text.txt",
        Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 320 },
        Architecture = new ArchitectureSpec { Type = "llama", Layers = 2, Hidden = 64, Heads = 4, KvHeads = 2, Intermediate = 128, Context = 32 },
        Budget = new TrainingBudget { Steps = steps },
        BatchTokens = 512,
        LearningRate = 5e-3,
        Precision = "f32",
        CheckpointEvery = 0,
        Threads = 1,
    };

    public string Work => System.IO.Path.Combine(Path, "work");

    public string Checkpoints => System.IO.Path.Combine(Work, "checkpoints");

    /// <summary>Runs a new training to its end.</summary>
    public Task<(TrainerEnd End, List<TrainerEvent> Events)> RunAsync(TrainingRequest request, CancellationToken cancel)
    {
        Clear();
        return GoOnAsync(JobOf(request), cancel);
    }

    /// <summary>Runs a training to its end, from the checkpoint that is there.</summary>
    /// <param name="trainer">What to start; null: the trainer.</param>
    public async Task<(TrainerEnd End, List<TrainerEvent> Events)> GoOnAsync(TrainerJob job, CancellationToken cancel, string? trainer = null)
    {
        var events = new List<TrainerEvent>();
        var end = await new TrainerProcess(trainer ?? Trainer, TimeProvider.System).RunAsync(Write(job), job.Spec.Threads, events.Add, () => null, cancel);
        return (end, events);
    }

    /// <summary>Pauses a training once something has happened.</summary>
    public async Task<List<TrainerEvent>> PauseAsync(TrainerJob job, Predicate<TrainerEvent> when, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var events = new List<TrainerEvent>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new TrainerProcess(Trainer, TimeProvider.System).RunAsync(
            Write(job),
            job.Spec.Threads,
            happened =>
            {
                events.Add(happened);
                if (when(happened))
                {
                    stop.Cancel();
                }
            },
            () => TimeSpan.FromMinutes(1),
            stop.Token));
        return events;
    }

    /// <summary>A script that starts the trainer under limits of the shell.</summary>
    public string Limited(string limits) => Script("limited.sh", $"{limits}\nexec '{Trainer}' \"$@\"");

    /// <summary>A shell script in the folder.</summary>
    public string Script(string name, string content)
    {
        var script = System.IO.Path.Combine(Path, name);
        File.WriteAllText(script, $"#!/bin/bash\n{content}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return script;
    }

    public static bool Same(byte[] one, byte[] other) => one.AsSpan().SequenceEqual(other);

    public TrainerJob JobOf(TrainingRequest request) => new() { Spec = request, TextPath = Text, ResultFolder = Result, WorkFolder = Work, LowPriority = false };

    /// <summary>Writes the file of a new training.</summary>
    public string WriteJob(TrainingRequest request)
    {
        Clear();
        return Write(JobOf(request));
    }

    /// <summary>Removes what an earlier training left.</summary>
    public void Clear()
    {
        foreach (var old in new[] { Result, Work }.Where(Directory.Exists))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    private string Write(TrainerJob job)
    {
        var file = System.IO.Path.Combine(Path, "job.json");
        File.WriteAllBytes(file, JsonSerializer.SerializeToUtf8Bytes(job, LlmOsJson.Options));
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
