using LlmOs.Models.Zoo;
using LlmOs.Models.Zoo.Blocks;
using LlmOs.Testing;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Products with 8-bit blocks against plain sums. Weights and inputs lie on the grids that they are rounded to, so whatever
/// instructions the processor has, sums of whole numbers are what must come out: a kernel that adds products of bytes in 16 bits
/// and cuts them off, as processors without VNNI invite to, would be far off.
/// </summary>
public sealed class BlockProductTests : IDisposable
{
    private const int Rows = 48;
    private const int Columns = 576;
    private const int Block = 32;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <param name="weights">How codes are drawn: <c>high</c>: only the largest, <c>low</c>: only the smallest, <c>any</c>.</param>
    [Theory]
    [InlineData(1, "high", "high")]
    [InlineData(1, "high", "low")]
    [InlineData(1, "low", "high")]
    [InlineData(1, "low", "low")]
    [InlineData(1, "any", "any")]
    [InlineData(2, "high", "high")]
    [InlineData(3, "any", "high")]
    [InlineData(16, "high", "high")]
    [InlineData(64, "any", "any")]
    public void Sums_of_whole_numbers_are_exact(int tokens, string weights, string inputs)
    {
        var random = new Random(tokens);
        var (w, x) = (Drawn(random, Rows, weights, 128), Drawn(random, tokens, inputs, 127));

        var found = Product(w, x, tokens);

        for (var token = 0; token < tokens; token++)
        {
            for (var row = 0; row < Rows; row++)
            {
                var (sum, size) = (0.0, 0.0);
                for (var i = 0; i < Columns; i++)
                {
                    var product = (double)w[(row * Columns) + i] * x[(token * Columns) + i];
                    (sum, size) = (sum + product, size + Math.Abs(product));
                }

                Assert.Equal(sum, found[(token * Rows) + row], 1e-5 * size);
            }
        }
    }

    /// <summary>With one scale for all blocks every sum is a number that f32 holds, so no order of adding and no instruction may change a bit.</summary>
    [Theory]
    [InlineData(WeightPrecision.EightBit, 1)]
    [InlineData(WeightPrecision.EightBit, 4)]
    [InlineData(WeightPrecision.EightBit, 64)]
    [InlineData(WeightPrecision.FourBit, 1)]
    [InlineData(WeightPrecision.FourBit, 4)]
    [InlineData(WeightPrecision.FourBit, 64)]
    public void Sums_of_one_scale_are_equal_to_the_last_bit(WeightPrecision precision, int tokens)
    {
        var random = new Random(tokens);
        var (smallest, largest) = precision == WeightPrecision.EightBit ? (-128, 127) : (-8, 7);
        float[] w = [.. Enumerable.Range(0, Rows * Columns).Select(at => at % Block == 0 ? smallest : at % Block == 1 ? largest : random.Next(2) == 0 ? largest : (float)random.Next(smallest, largest + 1))];
        float[] x = [.. Enumerable.Range(0, tokens * Columns).Select(at => at % Block == 0 ? -127 : random.Next(2) == 0 ? 127 : (float)random.Next(-127, 128))];

        var found = Product(w, x, tokens, precision: precision);

        Assert.Equal([.. Enumerable.Range(0, tokens * Rows).Select(at => (float)Enumerable.Range(0, Columns).Sum(i => (long)w[(at % Rows * Columns) + i] * (long)x[(at / Rows * Columns) + i]))], found);
    }

    /// <summary>Inputs that lie on no grid: two roundings leave a hundredth of what one leaves, and no tokens at all are none.</summary>
    [Fact]
    public void A_sensitive_matrix_sees_its_inputs_in_16_bits()
    {
        const int Tokens = 5;
        var random = new Random(4);
        var w = Drawn(random, Rows, "any", 128);
        float[] x = [.. Enumerable.Range(0, Tokens * Columns).Select(_ => random.NextSingle() - 0.5f)];

        var (plain, precise, none) = (Product(w, x, Tokens), Product(w, x, Tokens, isSensitive: true), Product(w, [], 0, isSensitive: true));

        double[] exact = [.. Enumerable.Range(0, Tokens * Rows).Select(at => Enumerable.Range(0, Columns).Sum(i => (double)w[(at % Rows * Columns) + i] * x[(at / Rows * Columns) + i]))];
        double Error(float[] found) => Math.Sqrt(found.Zip(exact).Average(p => Math.Pow(p.First - p.Second, 2)));
        Assert.InRange(Error(precise) / Error(plain), 0, 0.02);
        Assert.Empty(none);
    }

    /// <summary>Whole numbers up to an end of the range, times a scale of each block; the end itself stands in each block.</summary>
    private static float[] Drawn(Random random, int rows, string how, int end)
    {
        var values = new float[rows * Columns];
        for (var at = 0; at < values.Length; at += Block)
        {
            var scale = MathF.ScaleB(1, random.Next(-8, 0));
            for (var i = 0; i < Block; i++)
            {
                values[at + i] = scale * (i == 0 ? -end : how switch
                {
                    "high" => 127,
                    "low" => -end,
                    _ => random.Next(-end, 128),
                });
            }
        }

        return values;
    }

    private float[] Product(float[] w, float[] x, int tokens, bool isSensitive = false, WeightPrecision precision = WeightPrecision.EightBit)
    {
        var folder = Directory.CreateDirectory(_folder.At(Guid.NewGuid().ToString("n"))).FullName;
        using (var graph = new OnnxGraph("product", folder))
        {
            var writer = new GraphWriter(graph, weights: null, new Dictionary<string, string>(), precision, CancellationToken.None);
            graph.Input("x", OnnxType.Float, "T", Columns);
            writer.Linear("x", new Matrix("w", Rows, Columns, sink => sink.Write(w)) { IsSensitive = isSensitive }, bias: null, "y");
            graph.Output("y", OnnxType.Float, "T", Rows);
            graph.Save();
        }

        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(Path.Combine(folder, OnnxGraph.FileName), options);
        using var input = OrtValue.CreateTensorValueFromMemory(x, [tokens, Columns]);
        using var run = new RunOptions();
        using var output = session.Run(run, ["x"], [input], ["y"]);
        return output[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
