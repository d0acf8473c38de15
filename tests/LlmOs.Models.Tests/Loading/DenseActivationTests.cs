using System.Globalization;
using System.Text;
using LlmOs.Formats;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Tests.Loading;

/// <summary>The functions that a Dense module may name, against torch's own values in double precision.</summary>
public sealed class DenseActivationTests
{
    private static readonly float[] Inputs = [-30, -4.5f, -2, -0.7f, 0, 0.3f, 1, 3.5f, 8];

    [Theory]
    [InlineData("torch.nn.modules.linear.Identity", "-30 -4.5 -2 -0.7 0 0.3 1 3.5 8")]
    [InlineData("torch.nn.modules.activation.Tanh", "-1 -0.999753211 -0.96402758 -0.604367777 0 0.291312612 0.761594156 0.998177898 0.999999775")]
    [InlineData("torch.nn.modules.activation.Sigmoid", "9.35762297e-14 0.0109869426 0.119202922 0.331812228 0.5 0.574442517 0.731058579 0.970687769 0.99966465")]
    [InlineData("torch.nn.modules.activation.ReLU", "0 0 0 0 0 0.3 1 3.5 8")]
    [InlineData("torch.nn.modules.activation.ReLU6", "0 0 0 0 0 0.3 1 3.5 6")]
    [InlineData("torch.nn.modules.activation.LeakyReLU", "-0.3 -0.045 -0.02 -0.007 0 0.3 1 3.5 8")]
    [InlineData("torch.nn.modules.activation.ELU", "-1 -0.988891003 -0.864664717 -0.503414696 0 0.3 1 3.5 8")]
    [InlineData("torch.nn.modules.activation.SELU", "-1.75809934 -1.73856862 -1.52016647 -0.885053046 0 0.315210296 1.05070099 3.67745346 8.4056079")]
    [InlineData("torch.nn.modules.activation.GELU", "-0 -1.52895291e-05 -0.0455002639 -0.169374557 0 0.185373427 0.841344746 3.4991858 8")]
    [InlineData("torch.nn.modules.activation.SiLU", "-2.80728689e-12 -0.0494412418 -0.238405844 -0.232268559 0 0.172332755 0.731058579 3.39740719 7.9973172")]
    [InlineData("torch.nn.modules.activation.Mish", "-2.80728689e-12 -0.0497128293 -0.252501483 -0.267870235 0 0.208001372 0.865098388 3.49399072 7.9999982")]
    [InlineData("torch.nn.modules.activation.Softplus", "9.35762297e-14 0.0110477448 0.126928011 0.403186049 0.693147181 0.854355244 1.31326169 3.52975042 8.00033541")]
    [InlineData("torch.nn.modules.activation.Softsign", "-0.967741935 -0.818181818 -0.666666667 -0.411764706 0 0.230769231 0.5 0.777777778 0.888888889")]
    [InlineData("torch.nn.modules.activation.LogSigmoid", "-30 -4.51104774 -2.12692801 -1.10318605 -0.693147181 -0.554355244 -0.313261688 -0.0297504183 -0.000335406373")]
    [InlineData("torch.nn.modules.activation.Hardtanh", "-1 -1 -1 -0.7 0 0.3 1 1 1")]
    public void A_function_gives_what_torch_gives(string name, string expected)
    {
        float[] values = [.. Inputs];

        DenseActivations.Read(Config($$"""{"activation_function":"{{name}}"}"""))(values);

        Assert.All(
            expected.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).Zip(values),
            pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Max(1, Math.Abs(pair.First))));
    }

    [Theory]
    [InlineData("torch.nn.modules.activation.PReLU")] // has weights of its own
    [InlineData("torch.nn.modules.activation.Softmax")]
    [InlineData("torch.nn.functional.gelu.Other")]
    [InlineData("my_library.Tanh")]
    [InlineData("Tanh")]
    public void Another_class_is_refused_by_its_name(string name)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => DenseActivations.Read(Config($$"""{"activation_function":"{{name}}"}""")));

        Assert.Equal(ModelFormatProblem.UnsupportedArchitecture, refusal.Problem);
        Assert.Contains($"'{name}'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_name_it_is_tanh()
    {
        float[] values = [0.5f];

        DenseActivations.Read(Config("{}"))(values);

        Assert.Equal(Math.Tanh(0.5), values[0], 1e-6);
    }

    private static ConfigJson Config(string json) => ConfigJson.Parse(Encoding.UTF8.GetBytes(json), "2_Dense/config.json");
}
