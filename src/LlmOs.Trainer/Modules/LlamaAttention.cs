using LlmOs.Models.Zoo;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>Causal grouped-query attention of the Llama layout.</summary>
/// <remarks>Letters as in <see cref="LlamaModule"/>; R = H / G query heads share a key/value head.</remarks>
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
        var r = _sizes.Heads / g;

        var query = Turn(q_proj.forward(input1).view(b, t, _sizes.Heads, k), input2); // [B, T, H, K]
        var key = Turn(k_proj.forward(input1).view(b, t, g, k), input2);              // [B, T, G, K]
        var value = v_proj.forward(input1).view(b, t, g, k).transpose(1, 2);          // [B, G, T, K]
        key = key.transpose(1, 2);                                                    // [B, G, T, K]

        var mixed = input2.Mask.Added is { } mask
            ? Spread(query, key, value, mask, b, t, g, r, k)
            : Fused(query, key, value, b, t, g, r, k); // [B, T, D]
        return o_proj.forward(mixed).MoveToOuterDisposeScope();
    }

    /// <summary>The R query heads of a group stand below each other, so keys and values are not repeated.</summary>
    private static Tensor Spread(Tensor query, Tensor key, Tensor value, Tensor mask, long b, long t, long g, long r, long k)
    {
        var rows = query.Times(1 / Math.Sqrt(k)).view(b, t, g, r, k).permute(0, 2, 3, 1, 4).reshape(b, g, r * t, k); // [B, G, R T, K]
        var scores = matmul(rows, key.transpose(-2, -1)).view(b, g, r, t, t).Plus(mask);                           // [B, G, R, T, T]
        var mixed = matmul(functional.softmax(scores, -1).view(b, g, r * t, t), value);                            // [B, G, R T, K]
        return mixed.view(b, g, r, t, k).permute(0, 3, 1, 2, 4).reshape(b, t, g * r * k);                          // [B, T, D]
    }

    private static Tensor Fused(Tensor query, Tensor key, Tensor value, long b, long t, long g, long r, long k)
    {
        if (r > 1)
        {
            key = key.unsqueeze(2).expand(b, g, r, t, k).reshape(b, g * r, t, k);     // [B, H, T, K]
            value = value.unsqueeze(2).expand(b, g, r, t, k).reshape(b, g * r, t, k); // [B, H, T, K]
        }

        var mixed = functional.scaled_dot_product_attention(query.transpose(1, 2), key, value, is_casual: true); // [B, H, T, K]
        return mixed.transpose(1, 2).reshape(b, t, g * r * k);                                                   // [B, T, D]
    }

    /// <summary>Rotates component i of a head against component i + K/2 by its position's angle (RoFormer, arXiv:2104.09864; Hugging Face's order).</summary>
    private static Tensor Turn(Tensor heads, Rotary rotary)
    {
        var half = heads.shape[^1] / 2;
        var left = heads.narrow(-1, 0, half);
        var right = heads.narrow(-1, half, half);
        return (heads * rotary.Cos).Plus(cat([-right, left], -1) * rotary.Sin);
    }
}

/// <summary>What attention needs of T positions.</summary>
/// <param name="Cos">[T, 1, K]</param>
/// <param name="Sin">[T, 1, K]</param>
/// <param name="Mask">For T tokens.</param>
internal sealed record Rotary(Tensor Cos, Tensor Sin, CausalMask Mask);

/// <summary>Angles of all positions, and the causal masks; made once for each type and length.</summary>
internal sealed class RotaryTables : IDisposable
{
    private readonly CausalMasks _masks = new();
    private readonly Tensor _cos; // [T, 1, K] f32
    private readonly Tensor _sin; // [T, 1, K] f32
    private readonly Dictionary<(long, ScalarType), Rotary> _made = [];

    public RotaryTables(LlamaSizes sizes)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var steps = Arithmetic.Steps(sizes.HeadDim, 2).Over(sizes.HeadDim);
        var angles = outer(Arithmetic.Steps(sizes.Context, 1), sizes.RopeTheta.ToThe(-steps)); // [T, K / 2]
        var both = cat([angles, angles], -1).unsqueeze(1);                                                     // [T, 1, K]
        _cos = both.cos().DetachFromDisposeScope();
        _sin = both.sin().DetachFromDisposeScope();
    }

    public Rotary For(long tokens, ScalarType type)
    {
        if (_made.TryGetValue((tokens, type), out var rotary))
        {
            return rotary;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        rotary = new Rotary(
            _cos.narrow(0, 0, tokens).to_type(type, copy: true).DetachFromDisposeScope(),
            _sin.narrow(0, 0, tokens).to_type(type, copy: true).DetachFromDisposeScope(),
            _masks.For(tokens, type));
        return _made[(tokens, type)] = rotary;
    }

    public void Dispose()
    {
        foreach (var rotary in _made.Values)
        {
            rotary.Cos.Dispose();
            rotary.Sin.Dispose();
        }

        _masks.Dispose();
        _cos.Dispose();
        _sin.Dispose();
    }
}
