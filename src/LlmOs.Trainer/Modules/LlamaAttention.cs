using LlmOs.Models.Zoo;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>Causal grouped-query attention of the Llama layout.</summary>
/// <remarks>Letters as in <see cref="LlamaModule"/>.</remarks>
internal sealed class LlamaAttention : Module<Tensor, Rotary, Tensor>
{
    private readonly LinearWeight q_proj; // D -> H K
    private readonly LinearWeight k_proj; // D -> G K
    private readonly LinearWeight v_proj; // D -> G K
    private readonly LinearWeight o_proj; // H K -> D
    private readonly LlamaSizes _sizes;

    public LlamaAttention(LlamaSizes sizes, double deviation)
        : base(nameof(LlamaAttention))
    {
        _sizes = sizes;
        q_proj = new LinearWeight(sizes.Hidden, sizes.Hidden, deviation);
        k_proj = new LinearWeight(sizes.Hidden, sizes.KvHeads * sizes.HeadDim, deviation);
        v_proj = new LinearWeight(sizes.Hidden, sizes.KvHeads * sizes.HeadDim, deviation);
        o_proj = new LinearWeight(sizes.Hidden, sizes.Hidden, deviation / Math.Sqrt(2.0 * sizes.Layers));
        RegisterComponents();
    }

    /// <param name="input1">[B, T, D]</param>
    /// <param name="input2">Tables for T positions.</param>
    /// <returns>[B, T, D]</returns>
    public override Tensor forward(Tensor input1, Rotary input2)
    {
        using var scope = NewDisposeScope();
        var (b, t) = (input1.shape[0], input1.shape[1]);
        var (g, k) = (_sizes.KvHeads, _sizes.HeadDim);
        var query = q_proj.forward(input1).view(b, t, _sizes.Heads, k);
        var key = k_proj.forward(input1).view(b, t, g, k);
        var value = v_proj.forward(input1).view(b, t, g, k);
        return o_proj.forward(RotaryAttention.Of(query, key, value, input2)).MoveToOuterDisposeScope();
    }
}
