using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Objectives;

/// <summary>Windows of ids that go through a model at once, and what is asked of them.</summary>
/// <param name="Windows">Ids of B windows of T + 1 each, one after the other.</param>
/// <param name="Tokens">T</param>
/// <param name="Targets">Ids to predict, B x T, <see cref="Ignored"/> where there is none; null: each window's next ids.</param>
internal sealed record TokenBatch(long[] Windows, int Tokens, long[]? Targets = null)
{
    /// <summary>The target of a place that asks for nothing.</summary>
    public const long Ignored = -100;

    public int Count => Windows.Length / (Tokens + 1);
}

/// <summary>What a training makes small. The step sums it over micro-batches and divides by the targets of all of them.</summary>
internal interface IObjective
{
    /// <summary>The sum of the losses of all targets, in nats, f32 [].</summary>
    Tensor SumOfLosses(Module<Tensor, Tensor> module, TokenBatch batch);
}
