using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Objectives;

/// <summary>The cross entropy of each next token, given those before it.</summary>
/// <remarks>Letters: B windows, T tokens of a window's input; V vocabulary.</remarks>
internal sealed class CausalLanguageModel : IObjective
{
    public Tensor SumOfLosses(Module<Tensor, Tensor> module, TokenBatch batch)
    {
        var tokens = batch.Tokens;
        var ids = tensor(batch.Windows, [batch.Count, tokens + 1]); // [B, T + 1]
        var logits = module.forward(ids.narrow(1, 0, tokens));      // [B, T, V]
        var next = batch.Targets is null ? ids.narrow(1, 1, tokens).reshape(-1) : tensor(batch.Targets); // [B T]
        var rows = logits.view(-1, logits.shape[^1]).to_type(ScalarType.Float32);
        return functional.cross_entropy(rows, next, ignore_index: TokenBatch.Ignored, reduction: Reduction.Sum);
    }
}
