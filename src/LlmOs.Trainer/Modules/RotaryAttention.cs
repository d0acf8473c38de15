using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>Causal attention over heads that are turned by their positions; query heads may share keys and values (arXiv:2305.13245).</summary>
/// <remarks>B batch, T tokens, H query heads, G key/value heads, K width of a head, D = H K; R = H / G query heads share a key/value head.</remarks>
internal static class RotaryAttention
{
    /// <param name="query">[B, T, H, K], not yet turned</param>
    /// <param name="key">[B, T, G, K], not yet turned</param>
    /// <param name="value">[B, T, G, K]</param>
    /// <param name="rotary">For T positions.</param>
    /// <returns>[B, T, D], in the caller's dispose scope</returns>
    public static Tensor Of(Tensor query, Tensor key, Tensor value, Rotary rotary)
    {
        var (b, t, k) = (query.shape[0], query.shape[1], query.shape[3]);
        var g = key.shape[2];
        var r = query.shape[2] / g;

        query = Turn(query, rotary);                // [B, T, H, K]
        key = Turn(key, rotary).transpose(1, 2);    // [B, G, T, K]
        value = value.transpose(1, 2);              // [B, G, T, K]
        return rotary.Mask.Added is { } mask
            ? Spread(query, key, value, mask, b, t, g, r, k)
            : Fused(query, key, value, b, t, g, r, k);
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
