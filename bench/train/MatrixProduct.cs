using System.Diagnostics;
using static TorchSharp.torch;

namespace LlmOs.TrainingBench;

/// <summary>What this machine can do at best in a training: one matrix product, 2048 x 384 x 1536, of the same precision and library.</summary>
internal sealed class MatrixProduct : IDisposable
{
    public const string Name = "matrix product 2048x384x1536";

    private const int Rows = 2048, Inner = 384, Columns = 1536;
    private const int Block = 12;
    private const int Blocks = 7;

    private readonly Tensor _left;  // [rows, inner]
    private readonly Tensor _right; // [columns, inner], as a linear layer keeps it

    public MatrixProduct(ScalarType type)
    {
        _left = randn(Rows, Inner).to_type(type);
        _right = randn(Columns, Inner).to_type(type);
    }

    /// <summary>GFLOP/s: the median of several blocks of products.</summary>
    public double Measure()
    {
        using var noGrad = no_grad();
        var rates = new double[Blocks];
        for (var block = 0; block < Blocks; block++)
        {
            var begin = Stopwatch.GetTimestamp();
            for (var i = 0; i < Block; i++)
            {
                using var product = nn.functional.linear(_left, _right);
            }

            rates[block] = Block * 2.0 * Rows * Inner * Columns / Stopwatch.GetElapsedTime(begin).TotalSeconds / 1e9;
        }

        return Median.Of(rates);
    }

    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }
}
