namespace LlmOs.Formats;

/// <summary>The function between the two halves of a feed-forward layer.</summary>
public enum Activation
{
    /// <summary>x * sigmoid(x); published as <c>silu</c> or <c>swish</c>.</summary>
    Silu,

    /// <summary>x * Phi(x), by the error function; published as <c>gelu</c>.</summary>
    Gelu,

    /// <summary>The tanh approximation of GELU; published as <c>gelu_new</c>, <c>gelu_pytorch_tanh</c> or <c>gelu_fast</c>.</summary>
    GeluTanh,

    /// <summary>x * sigmoid(1.702 x); published as <c>quick_gelu</c>.</summary>
    QuickGelu,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
}

/// <summary>Published names of activations.</summary>
public static class Activations
{
    private static readonly Dictionary<string, Activation> ByName = new(StringComparer.Ordinal)
    {
        ["silu"] = Activation.Silu,
        ["swish"] = Activation.Silu,
        ["gelu"] = Activation.Gelu,
        ["gelu_python"] = Activation.Gelu,
        ["gelu_new"] = Activation.GeluTanh,
        ["gelu_fast"] = Activation.GeluTanh,
        ["gelu_pytorch_tanh"] = Activation.GeluTanh,
        ["quick_gelu"] = Activation.QuickGelu,
        ["relu"] = Activation.Relu,
        ["tanh"] = Activation.Tanh,
    };

    /// <summary>The activation that an option names, or <paramref name="otherwise"/> where the option is absent.</summary>
    /// <exception cref="ModelFormatException">It names none that is implemented.</exception>
    public static Activation Read(ConfigJson json, string option, string otherwise)
    {
        var name = json.Text(option) ?? otherwise;
        return ByName.TryGetValue(name, out var activation) ? activation : throw new ModelFormatException(
            ModelFormatProblem.UnsupportedArchitecture,
            $"{json.File}: the option {option} = \"{name}\" is not supported; supported: {string.Join(", ", ByName.Keys)}.");
    }
}
