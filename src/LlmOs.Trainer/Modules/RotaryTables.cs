using static TorchSharp.torch;

namespace LlmOs.Trainer.Modules;

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

    /// <param name="headDim">Width K of a head, even.</param>
    /// <param name="positions">Positions that there are at most.</param>
    /// <param name="theta">Base of the wavelengths.</param>
    public RotaryTables(int headDim, int positions, double theta)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var steps = Arithmetic.Steps(headDim, 2).Over(headDim);
        var angles = outer(Arithmetic.Steps(positions, 1), theta.ToThe(-steps)); // [T, K / 2]
        var both = cat([angles, angles], -1).unsqueeze(1);                                // [T, 1, K]
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
