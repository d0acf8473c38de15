using LlmOs.Trainer.Modules;
using LlmOs.Trainer.Objectives;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Optimisation;

/// <summary>The loss of a batch and its gradient. Not safe on several threads: torch's modes belong to the thread.</summary>
internal sealed class TrainingStep(Module<Tensor, Tensor> module, FlatAdamW optimizer, IObjective objective)
{
    /// <summary>Adds a micro-batch's part of the gradient.</summary>
    /// <param name="batchTargets">Targets of the whole step: the loss is their mean, so micro-batches weigh by their tokens.</param>
    /// <returns>This part of the mean loss, in nats.</returns>
    public double Accumulate(TokenBatch batch, long batchTargets)
    {
        using var scope = NewDisposeScope();
        var loss = objective.SumOfLosses(module, batch).Over(batchTargets);
        loss.backward();
        optimizer.Collect();
        return loss.item<float>();
    }

    /// <summary>Sum of the losses of all targets, in nats, without a gradient.</summary>
    public double Evaluate(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return objective.SumOfLosses(module, batch).item<float>();
    }
}
