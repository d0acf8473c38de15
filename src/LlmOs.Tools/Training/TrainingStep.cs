using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Tools.Training;

/// <summary>Next-token loss of windows and its gradient. Not safe on several threads: torch's modes belong to the thread.</summary>
/// <remarks>Letters: B windows, T tokens of a window's input; a window holds T + 1 ids, V vocabulary.</remarks>
internal sealed class TrainingStep(Module<Tensor, Tensor> module, FlatAdamW optimizer)
{
    /// <summary>The target of a place that asks for nothing.</summary>
    public const long Ignored = -100;

    /// <summary>Adds a micro-batch's part of the gradient.</summary>
    /// <param name="windows">Ids of B windows, one after the other.</param>
    /// <param name="tokens">T</param>
    /// <param name="batchTargets">Targets of the whole step: the loss is their mean, so micro-batches weigh by their tokens.</param>
    /// <param name="targets">Ids to predict, B x T, <see cref="Ignored"/> where there is none; null: each window's next ids.</param>
    /// <returns>This part of the mean loss, in nats.</returns>
    public double Accumulate(long[] windows, int tokens, long batchTargets, long[]? targets = null)
    {
        using var scope = NewDisposeScope();
        var loss = SumOfLosses(windows, tokens, targets) / (double)batchTargets;
        loss.backward();
        optimizer.Collect();
        return loss.item<float>();
    }

    /// <summary>Sum of the losses of all targets, in nats, without a gradient.</summary>
    public double Evaluate(long[] windows, int tokens)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return SumOfLosses(windows, tokens, targets: null).item<float>();
    }

    private Tensor SumOfLosses(long[] windows, int tokens, long[]? targets)
    {
        var ids = tensor(windows, [windows.Length / (tokens + 1), tokens + 1]); // [B, T + 1]
        var logits = module.forward(ids.narrow(1, 0, tokens));                  // [B, T, V]
        var next = targets is null ? ids.narrow(1, 1, tokens).reshape(-1) : tensor(targets); // [B T]
        var rows = logits.view(-1, logits.shape[^1]).to_type(ScalarType.Float32);
        return functional.cross_entropy(rows, next, ignore_index: Ignored, reduction: Reduction.Sum);
    }
}
