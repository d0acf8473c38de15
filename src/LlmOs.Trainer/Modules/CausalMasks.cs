using static TorchSharp.torch;

namespace LlmOs.Trainer.Modules;

/// <summary>How a window's tokens are kept from looking ahead.</summary>
/// <param name="Added">0 where a token may look, minus infinity where not, [T, T]; null where the fused attention masks by itself.</param>
internal sealed record CausalMask(Tensor? Added);

/// <summary>
/// Causal masks, made once for each length. Only bf16 needs one: the fused attention's backward pass is slow there, and plain
/// matrices with an added mask are twice as fast as long as T x T is small. In f32, and for long windows, the fused form is as
/// fast and keeps no T x T.
/// </summary>
internal sealed class CausalMasks : IDisposable
{
    private const long LongestAdded = 512;

    private readonly Dictionary<long, CausalMask> _made = [];
    private readonly CausalMask _fused = new(Added: null);

    public CausalMask For(long tokens, ScalarType type)
    {
        if (type != ScalarType.BFloat16 || tokens > LongestAdded)
        {
            return _fused;
        }

        if (_made.TryGetValue(tokens, out var known))
        {
            return known;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var hidden = ones(tokens, tokens, dtype: ScalarType.Bool).triu(1);
        var mask = zeros(tokens, tokens).Filled(hidden, float.NegativeInfinity).to_type(type).DetachFromDisposeScope();
        return _made[tokens] = new CausalMask(mask);
    }

    public void Dispose()
    {
        foreach (var mask in _made.Values)
        {
            mask.Added?.Dispose();
        }
    }
}
