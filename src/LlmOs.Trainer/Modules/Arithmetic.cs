using TorchSharp;
using static TorchSharp.torch;

namespace LlmOs.Trainer.Modules;

/// <summary>
/// What is computed of tensors and numbers. TorchSharp's own forms make a native number for each call, a 1 for each sum even, and
/// leave it to the garbage collector, which may free it before torch has read it: a training then fails, or computes with
/// whatever lies there. Here each number lives until torch is done. An architecture test keeps those forms out of everything else.
/// </summary>
internal static class Arithmetic
{
    private static readonly Scalar One = 1;
    private static readonly Scalar Two = 2;

    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    public static Tensor Plus(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.add(number, One);
    }

    public static Tensor Times(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.mul(number);
    }

    public static Tensor Over(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.div(number);
    }

    public static Tensor Squared(this Tensor x) => x.pow(Two);

    /// <summary><c>x ^ exponents</c>, element by element.</summary>
    public static Tensor ToThe(this double x, Tensor exponents)
    {
        using var number = tensor(x);
        return number.pow(exponents);
    }

    /// <param name="hidden">Where the number comes, bool.</param>
    public static Tensor Filled(this Tensor x, Tensor hidden, float y)
    {
        using Scalar number = y;
        return x.masked_fill(hidden, number);
    }

    /// <summary>0, step, 2 step, ... below the end, f32.</summary>
    public static Tensor Steps(long end, long step)
    {
        using Scalar from = 0L;
        using Scalar to = end;
        using Scalar by = step;
        return arange(from, to, by, dtype: ScalarType.Float32);
    }
}
