using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Run;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>A folder with a text, and trainings in it: in this process, or by the trainer that the build made.</summary>
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

    /// <summary>Runs a new training to its end, in this process.</summary>
    public Task<(int Exit, List<TrainerEvent> Events)> RunAsync(TrainingRequest request)
    {
        Clear();
        return GoOnAsync(JobOf(request));
    }

    /// <summary>Runs a training to its end in this process, from the checkpoint that is there.</summary>
    /// <param name="when">Told each event when it happens; may ask something of the training.</param>
    public static async Task<(int Exit, List<TrainerEvent> Events)> GoOnAsync(TrainerJob job, Action<TrainerEvent, TrainerControl>? when = null)
    {
        using var control = new TrainerControl();
        var events = new List<TrainerEvent>();
        var exit = await TorchProcess.RunAsync(() => TrainingThread.Run(
            job,
            happened =>
            {
                events.Add(happened);
                when?.Invoke(happened, control);
            },
            control));
        return (exit, events);
    }

    /// <summary>Pauses a training once something has happened.</summary>
    public static async Task<List<TrainerEvent>> PauseAsync(TrainerJob job, Predicate<TrainerEvent> when)
    {
        var (exit, events) = await GoOnAsync(job, (happened, control) =>
        {
            if (when(happened))
            {
                control.Pause();
            }
        });
        Assert.Equal(TrainerExit.Paused, exit);
        return events;
    }

    /// <summary>Starts a trainer as the server does and waits for its end.</summary>
    /// <param name="trainer">What to start; null: the trainer.</param>
    public async Task<(TrainerEnd End, List<TrainerEvent> Events)> StartAsync(TrainerJob job, CancellationToken cancel, string? trainer = null)
    {
        var events = new List<TrainerEvent>();
        var end = await new TrainerProcess(trainer ?? Trainer, TimeProvider.System).RunAsync(Write(job), job.Spec.Threads, events.Add, () => null, cancel);
        return (end, events);
    }

    /// <summary>Compares the graph of a folder's weights with what the trainer recorded of its result.</summary>
    public async Task<(ParityView Parity, ContinuationView Continued)> ParityAsync(string model, CancellationToken cancel)
    {
        await using var served = new GraphProbe(WriteGraph(model, cancel));
        return await ParityGate.MeasureAsync(served, Result, cancel);
    }

    /// <summary>The graph that would serve a model of a folder.</summary>
    private ServingGraph WriteGraph(string model, CancellationToken cancel)
    {
        var json = ConfigJson.Parse(File.ReadAllBytes(System.IO.Path.Combine(model, "config.json")), "config.json");
        var architecture = Architectures.Of(json);
        using var weights = SafetensorsFile.Open(System.IO.Path.Combine(model, "model.safetensors"));
        return (ServingGraph)architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, Directory.CreateDirectory(System.IO.Path.Combine(Path, $"graph-{Guid.NewGuid():n}")).FullName, cancel);
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
