using System.Diagnostics;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Modules;
using LlmOs.Trainer.Objectives;
using LlmOs.Trainer.Optimisation;
using static TorchSharp.torch;

namespace LlmOs.TrainingBench;

/// <summary>The trainer's own step on random ids: forward, loss, backward, clipping, AdamW. Reading a batch is all that is left away.</summary>
/// <remarks>Everything on one thread: torch's modes belong to it.</remarks>
internal sealed class TrainingRate : IDisposable
{
    private const int Steps = 7;
    private const double Rate = 1e-4;

    private readonly TrainingShape _shape;
    private readonly LlamaModule _module;
    private readonly FlatAdamW _optimizer;
    private readonly TrainingStep _step;
    private readonly Random _random = new(1);

    public TrainingRate(TrainingShape shape, int threads)
    {
        _shape = shape;
        _module = new LlamaModule(shape.Sizes);
        _optimizer = new FlatAdamW(_module, shape.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32, new AdamWOptions(), shape.Sizes.Decays, threads);
        _step = new TrainingStep(_module, _optimizer, new CausalLanguageModel());
    }

    /// <summary>Tokens/s: the median of several steps.</summary>
    public double Measure()
    {
        var rates = new double[Steps];
        for (var step = 0; step < Steps; step++)
        {
            var begin = Stopwatch.GetTimestamp();
            TakeStep();
            rates[step] = _shape.StepTokens / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        return Median.Of(rates);
    }

    /// <summary>One step on random ids.</summary>
    public void TakeStep()
    {
        var ids = new long[_shape.Windows * (_shape.Sizes.Context + 1)];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = _random.Next(_shape.Sizes.Vocabulary);
        }

        _step.Accumulate(new TokenBatch(ids, _shape.Sizes.Context), _shape.StepTokens);
        var norm = _optimizer.GradientNorm();
        _optimizer.Step(Rate, Clipping.Scale(norm, 1));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _module.Dispose();
    }
}
