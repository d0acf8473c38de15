using System.Runtime.InteropServices;
using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests.Execution;

public sealed class OnnxRunnerTests
{
    [Fact]
    public void A_decode_step_allocates_nothing()
    {
        using var world = new World(TinyLlama.Random(seed: 1), slots: 4);
        int[] ids = [1, 2, 3, 4];
        int[] past = [0, 0, 0, 0];
        world.Runner.RunDecode(ids, past);

        // The runtime itself allocates once in a while (it compiles a hot method anew); a step that allocates does so in every window.
        var windows = new long[5];
        for (var window = 0; window < windows.Length; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var step = 0; step < 20; step++)
            {
                world.Runner.RunDecode(ids, past);
            }

            windows[window] = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Contains(0L, windows);
    }

    [Fact]
    public void A_run_that_takes_too_long_is_given_up_by_name_and_the_next_one_goes_well()
    {
        var clock = new HastyClock();
        using var world = new World(TinyLlama.Random(seed: 1), slots: 2, clock);
        using var other = new World(TinyLlama.Random(seed: 1), slots: 2);

        clock.IsOver = true; // the time is over as soon as the run begins
        var fault = Assert.Throws<EngineStepException>(() => world.Runner.RunDecode([1, 2], [0, 0]));
        clock.IsOver = false;
        world.Runner.RunDecode([1, 2], [0, 0]);
        other.Runner.RunDecode([1, 2], [0, 0]);

        Assert.Contains("300 s", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Engine:MaxStepSeconds", fault.Message, StringComparison.Ordinal);
        Assert.Equal(Bits(other.Runner.Logits(1)), Bits(world.Runner.Logits(1)));
        Assert.Equal(TimeSpan.FromSeconds(300), clock.Limit);
    }

    [Fact]
    public void What_a_slot_held_before_changes_nothing()
    {
        // Memory is not cleared: whatever stands behind a sequence's tokens, numbers or not, must never be read.
        var model = TinyLlama.Random(seed: 2);
        using var clean = new World(model, slots: 3);
        using var dirty = new World(model, slots: 3);
        clean.Fill(0);
        dirty.Fill(float.NaN);

        Assert.Equal(Replies(clean), Replies(dirty));

        static List<int> Replies(World world)
        {
            int[][] prompts = [[.. Enumerable.Range(0, 40)], [5], [.. Enumerable.Range(100, 17)]];
            var bits = new List<int>();
            for (var slot = 0; slot < prompts.Length; slot++)
            {
                world.Runner.RunPrefill(slot, past: 0, prompts[slot], LogitRows.Last);
                bits.AddRange(Bits(world.Runner.Logits(0)));
            }

            for (var step = 0; step < 5; step++)
            {
                world.Runner.RunDecode([1, 2, 3], [.. prompts.Select(p => p.Length + step)]);
                for (var row = 0; row < prompts.Length; row++)
                {
                    bits.AddRange(Bits(world.Runner.Logits(row)));
                }
            }

            return bits;
        }
    }

    [Fact]
    public void Whole_chunks_copied_to_another_slot_continue_to_the_bit()
    {
        using var world = new World(TinyLlama.Random(seed: 3), slots: 3);
        int[] prompt = [.. Enumerable.Range(0, 50)];
        world.Runner.RunPrefill(slot: 0, past: 0, prompt.AsSpan(0, 32), LogitRows.None);
        world.Runner.RunPrefill(slot: 0, past: 32, prompt.AsSpan(32), LogitRows.Last);
        var expected = Bits(world.Runner.Logits(0));

        world.Cache.CopyTokens(from: 0, to: 2, start: 0, end: 32);
        world.Runner.RunPrefill(slot: 2, past: 32, prompt.AsSpan(32), LogitRows.Last);

        Assert.Equal(expected, Bits(world.Runner.Logits(0)));
    }

    [Fact]
    public void Only_the_rows_asked_for_can_be_read()
    {
        using var world = new World(TinyLlama.Random(seed: 4), slots: 2);

        world.Runner.RunPrefill(slot: 0, past: 0, [1, 2, 3], LogitRows.None);
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Runner.Logits(0).Length);

        world.Runner.RunPrefill(slot: 0, past: 0, [1, 2, 3], LogitRows.All);
        Assert.Equal(384, world.Runner.Logits(2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Runner.Logits(3).Length);
    }

    [Fact]
    public void The_size_of_a_graph_counts_the_files_it_names()
    {
        var folder = Directory.CreateTempSubdirectory("llmos-engine-").FullName;
        var path = Path.Combine(folder, "model.onnx");
        var writer = new OnnxWriter();
        writer.External("first", "weights.bin");
        writer.External("second", "weights.bin");
        writer.Constant("third", new float[100], 100);
        File.WriteAllBytes(path, writer.ToModel());
        File.WriteAllBytes(Path.Combine(folder, "weights.bin"), new byte[5000]);
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), new byte[7000]);

        Assert.Equal(new FileInfo(path).Length + 5000, GraphFiles.Bytes(path));
    }

    private static int[] Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();

    /// <summary>Its timers are over when they are set, or never.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public bool IsOver { get; set; }

        public TimeSpan Limit { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new HastyTimer(this, callback);

        private sealed class HastyTimer(HastyClock clock, TimerCallback callback) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    clock.Limit = dueTime;
                    if (clock.IsOver)
                    {
                        callback(null);
                    }
                }

                return true;
            }

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    private sealed class World : IDisposable
    {
        public World(TinyLlama model, int slots, TimeProvider? clock = null)
        {
            Cache = new SlotCache(model.Shape, slots, model.Shape.ContextLength);
            var session = OrtRuntime.Open(model.Write(), EngineDevice.Cpu, threads: 2, IEngineObserver.None, out _);
            Runner = new OnnxRunner(session, encoder: null, model.Shape, Cache, new EngineOptions(), bind: true, clock ?? TimeProvider.System);
        }

        public SlotCache Cache { get; }

        public OnnxRunner Runner { get; }

        public unsafe void Fill(float value)
        {
            for (var layer = 0; layer < Cache.Layers; layer++)
            {
                var count = (int)(Cache.Slots * Cache.SlotBytes / sizeof(float));
                new Span<float>((void*)Cache.KeysOf(layer, 0), count).Fill(value);
                new Span<float>((void*)Cache.ValuesOf(layer, 0), count).Fill(value);
            }
        }

        public void Dispose()
        {
            Runner.Dispose();
            Cache.Dispose();
        }
    }
}
