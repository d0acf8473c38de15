using System.Numerics.Tensors;
using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>What a Dense module of sentence-transformers may do behind its layer: torch's functions that have no weights of their own.</summary>
internal static class DenseActivations
{
    private const string Option = "activation_function";

    /// <summary>By the class of torch, with the arguments that it has by default, which is how a file names it.</summary>
    private static readonly Dictionary<string, Action<float[]>> ByClass = new(StringComparer.Ordinal)
    {
        ["Identity"] = _ => { },
        ["Tanh"] = v => TensorPrimitives.Tanh(v, v),
        ["Sigmoid"] = v => TensorPrimitives.Sigmoid<float>(v, v),
        ["ReLU"] = v => TensorPrimitives.Max(v, 0f, v),
        ["ReLU6"] = v => Each(v, x => Math.Clamp(x, 0, 6)),
        ["LeakyReLU"] = v => Each(v, x => x < 0 ? 0.01 * x : x),
        ["ELU"] = v => Each(v, x => x < 0 ? Math.Exp(x) - 1 : x),
        ["SELU"] = v => Each(v, x => 1.0507009873554804934193349852946 * (x < 0 ? 1.6732632423543772848170429916717 * (Math.Exp(x) - 1) : x)),
        ["GELU"] = v => Each(v, x => x * NormalShare(x)),
        ["SiLU"] = v => Each(v, x => x / (1 + Math.Exp(-x))),
        ["Mish"] = v => Each(v, x => x * Math.Tanh(Softplus(x))),
        ["Softplus"] = v => Each(v, Softplus),
        ["Softsign"] = v => Each(v, x => x / (1 + Math.Abs(x))),
        ["LogSigmoid"] = v => Each(v, x => -Softplus(-x)),
        ["Hardtanh"] = v => Each(v, x => Math.Clamp(x, -1, 1)),
    };

    /// <exception cref="ModelFormatException">The file names none of these.</exception>
    public static Action<float[]> Read(ConfigJson json)
    {
        var name = json.Text(Option) ?? "torch.nn.modules.activation.Tanh";
        // A class of somebody's own may do anything, whatever its last word is.
        return name.StartsWith("torch.nn.", StringComparison.Ordinal) && ByClass.TryGetValue(name.Split('.')[^1], out var activate) ? activate : throw new ModelFormatException(
            ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: {Option} is '{name}'; supported are torch.nn's {string.Join(", ", ByClass.Keys)}.");
    }

    private static void Each(float[] vector, Func<double, double> function)
    {
        foreach (ref var value in vector.AsSpan())
        {
            value = (float)function(value);
        }
    }

    /// <summary>log(1 + e^x).</summary>
    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    /// <summary>How much of the normal distribution lies below x: (1 + erf(x / root 2)) / 2, by erf's series near nought and its continued fraction beyond.</summary>
    private static double NormalShare(double x)
    {
        var z = Math.Abs(x) / Math.Sqrt(2);
        double erf;
        if (z < 3)
        {
            // erf z = 2 / root pi * e^(-z^2) * sum of 2^n z^(2n+1) / (1 * 3 * ... * (2n+1))
            var (term, sum) = (z, z);
            for (var n = 1; term > 1e-17 * sum; n++)
            {
                term *= 2 * z * z / ((2 * n) + 1);
                sum += term;
            }

            erf = 2 / Math.Sqrt(Math.PI) * Math.Exp(-z * z) * sum;
        }
        else
        {
            var fraction = z;
            for (var n = 40; n > 0; n--)
            {
                fraction = z + (n / 2.0 / fraction);
            }

            erf = 1 - (Math.Exp(-z * z) / (Math.Sqrt(Math.PI) * fraction));
        }

        return (1 + (x < 0 ? -erf : erf)) / 2;
    }
}
