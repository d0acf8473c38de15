namespace LlmOs.Engine.Tests;

public sealed class EncoderLoopTests : IAsyncDisposable
{
    private readonly ManualClock _clock = new();
    private readonly ScriptedEncoder _runner = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _goOn = new(0);
    private readonly EncoderEngine _engine;

    public EncoderLoopTests()
    {
        var options = new EngineOptions { Slots = 1, MaxQueued = 3 };
        _engine = new EncoderEngine(new EncoderLoop(_runner, options, "test", IEngineObserver.None, _clock), ScriptedEncoder.Shape, "cpu", 0, _clock);
    }

    [Fact]
    public async Task Every_text_gets_its_own_numbers_whatever_runs_beside_it()
    {
        var random = new Random(6);
        EncoderText[] texts = [.. Enumerable.Range(0, 300).Select(_ => Text(random.Next(1, 65)))];

        var results = await _engine.RunAsync(texts, EncoderOutput.States, TestContext.Current.CancellationToken);

        Assert.Equal(texts.Select(text => ScriptedEncoder.Result(text.Ids)), results);
        Assert.All(_runner.Batches, batch => Assert.Single(batch.Select(text => _runner.PaddedLength(text.Ids.Length)).Distinct()));
        Assert.True(_runner.Batches.Count < 30);
    }

    [Fact]
    public async Task A_request_is_charged_its_tokens_without_padding_and_its_times()
    {
        _runner.Before = _ => _clock.Advance(10);
        var run = _engine.Submit([Text(5), Text(9), Text(6)], EncoderOutput.States);

        await run.Result;

        Assert.Equal(new EngineUsage(20, 0, 0, TimeSpan.Zero, TimeSpan.FromMilliseconds(20), TimeSpan.Zero), run.Usage);
        Assert.Equal(run.Usage, await run.FinalUsage);
    }

    [Fact]
    public async Task A_request_cancelled_in_a_batch_is_charged_the_batch_and_nothing_after_it()
    {
        var run = await StandInBatchAsync(() => _engine.Submit([Text(5), Text(40)], EncoderOutput.States));

        run.Cancel();
        Assert.False(run.FinalUsage.IsCompleted);
        _goOn.Release();

        Assert.Equal(5, (await run.FinalUsage).PromptTokens);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.Result);
        await _engine.RunAsync([Text(3)], EncoderOutput.States, TestContext.Current.CancellationToken);
        Assert.Equal([5, 3], _runner.Batches.Select(batch => batch[0].Ids.Length));
    }

    [Fact]
    public async Task A_waiting_request_that_is_cancelled_ends_before_the_next_batch_and_makes_room()
    {
        var first = await StandInBatchAsync(() => _engine.Submit([Text(5)], EncoderOutput.States));
        using var places = _engine.Enter(EngineCaller.Nobody);
        using var more = _engine.Enter(EngineCaller.Nobody);
        var second = _engine.Submit([Text(7)], EncoderOutput.States);
        Assert.Throws<EngineBusyException>(() => _engine.Submit([Text(8)], EncoderOutput.States));
        _clock.Advance(30);

        second.Cancel();
        _goOn.Release();
        await first.Result;

        Assert.Equal(EngineUsage.None with { QueueTime = TimeSpan.FromMilliseconds(30) }, await second.FinalUsage);
        await _engine.Submit([Text(8)], EncoderOutput.States).Result;
        Assert.Equal([5, 8], _runner.Batches.Select(batch => batch[0].Ids.Length));
    }

    [Fact]
    public async Task A_batch_that_fails_ends_its_requests_and_nothing_else()
    {
        _runner.Before = texts =>
        {
            if (texts[0].Ids.Length == 5)
            {
                throw new InvalidOperationException("planted");
            }
        };

        var failing = _engine.Submit([Text(5), Text(20)], EncoderOutput.States);

        Assert.Contains("planted", (await Assert.ThrowsAsync<EngineStepException>(() => failing.Result)).Message, StringComparison.Ordinal);
        Assert.Equal(0, (await failing.FinalUsage).PromptTokens);
        Assert.Single(await _engine.RunAsync([Text(20)], EncoderOutput.States, TestContext.Current.CancellationToken));
        Assert.Equal(2, _runner.Batches.Count);
    }

    [Fact]
    public async Task An_error_of_one_text_ends_its_own_request_and_not_those_beside_it()
    {
        var first = await StandInBatchAsync(() => _engine.Submit([Text(20)], EncoderOutput.States));
        _runner.Before = texts =>
        {
            if (texts.Any(text => text.Ids.Length == 5))
            {
                throw new InvalidOperationException("planted");
            }
        };
        using var place = _engine.Enter(new EngineCaller("other"));
        var doomed = _engine.Submit([Text(6), Text(5), Text(30)], EncoderOutput.States, place);
        var fine = _engine.Submit([Text(7), Text(8)], EncoderOutput.States, place);
        _goOn.Release();

        await Assert.ThrowsAsync<EngineStepException>(() => doomed.Result);
        Assert.Equal([ScriptedEncoder.Result(Text(7).Ids), ScriptedEncoder.Result(Text(8).Ids)], await fine.Result);
        await first.Result;
    }

    [Fact]
    public async Task One_text_of_a_caller_comes_after_one_batch_of_anothers_thousands()
    {
        using var a = _engine.Enter(new EngineCaller("a"));
        using var b = _engine.Enter(new EngineCaller("b"));
        var warm = _engine.Submit([Text(5)], EncoderOutput.States, b); // b asks for a text now and then
        await warm.Result;
        var flood = await StandInBatchAsync(() => _engine.Submit([.. Enumerable.Repeat(Text(5), 2000)], EncoderOutput.States, a));
        var one = _engine.Submit([Text(9)], EncoderOutput.States, b);
        _goOn.Release();

        await one.Result;
        Assert.True(_runner.Batches.ToList().FindIndex(batch => batch[0].Ids.Length == 9) <= 2);
        await flood.Result;
        Assert.All(_runner.Batches.Skip(1), batch => Assert.True(batch.Count <= 16, $"a batch of {batch.Count} texts keeps a caller waiting who is at work as well"));
    }

    [Fact]
    public async Task A_caller_alone_has_large_batches()
    {
        await _engine.RunAsync([.. Enumerable.Repeat(Text(5), 2000)], EncoderOutput.States, TestContext.Current.CancellationToken);

        Assert.Equal(128, _runner.Batches[0].Count);
    }

    [Fact]
    public async Task Disposing_ends_what_waits_and_refuses_what_comes()
    {
        var running = await StandInBatchAsync(() => _engine.Submit([Text(5)], EncoderOutput.States));
        var waiting = _engine.Submit([Text(7)], EncoderOutput.States);

        var disposing = _engine.DisposeAsync().AsTask();
        _goOn.Release();
        await disposing;

        await running.Result;
        await Assert.ThrowsAsync<EngineClosedException>(() => waiting.Result);
        Assert.True(waiting.FinalUsage.IsCompletedSuccessfully);
        Assert.Throws<EngineClosedException>(() => _engine.Submit([Text(1)], EncoderOutput.States));
        Assert.True(_runner.IsDisposed);
    }

    [Fact]
    public async Task A_request_of_no_texts_is_done_at_once()
    {
        Assert.Empty(await _engine.RunAsync([], EncoderOutput.States, TestContext.Current.CancellationToken));
        Assert.Empty(_runner.Batches);
    }

    public async ValueTask DisposeAsync()
    {
        _goOn.Release(100);
        await _engine.DisposeAsync();
        _goOn.Dispose();
    }

    /// <summary>Starts a request and waits until the loop stands in its first batch.</summary>
    private async Task<T> StandInBatchAsync<T>(Func<T> start)
    {
        _runner.Before = _ =>
        {
            if (_reached.TrySetResult())
            {
                _goOn.Wait();
            }
        };
        var started = start();
        await _reached.Task;
        return started;
    }

    private static EncoderText Text(int length) => new([.. Enumerable.Range(length, length)]);
}
