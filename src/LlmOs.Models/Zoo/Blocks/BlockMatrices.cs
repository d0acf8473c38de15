using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// Products with matrices in blocks (MatMulNBits) and lookups in them (GatherBlockQuantized). Activations are rounded to
/// 8 bits in blocks of 32 inside the product (accuracy_level 4), which is what makes it fast.
/// </summary>
internal sealed class BlockMatrices(OnnxGraph graph)
{
    private readonly Dictionary<string, BlockTensors> _stored = new(StringComparer.Ordinal);
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);

    /// <param name="x">[..., H]</param>
    /// <param name="bias">[O] tensor of the graph, or null.</param>
    /// <param name="output">The result's name; null makes one.</param>
    /// <returns>[..., O]</returns>
    public string Linear(string x, Matrix matrix, BlockFormat format, string? bias, string? output)
    {
        var stored = Store(matrix, format);
        var codes = Once($"{matrix.Name}.codes", name => graph.Codes(name, stored, matrix.Rows, format.BlocksOf(matrix.Columns), format.CodeBytes));
        string[] inputs = [x, codes, stored.Scales, stored.Zeros ?? "", "", bias ?? ""];
        OnnxAttribute[] attributes =
        [
            ("K", matrix.Columns),
            ("N", matrix.Rows),
            ("bits", format.Bits),
            ("block_size", format.BlockSize),
            ("accuracy_level", 4),
        ];
        var count = bias is not null ? 6 : stored.Zeros is not null ? 4 : 3;
        if (stored.Offsets is null)
        {
            return Named("MatMulNBits", inputs[..count], output, OnnxGraph.Microsoft, attributes);
        }

        var product = graph.Node("MatMulNBits", inputs[..count], OnnxGraph.Microsoft, attributes);
        var sums = SumBlocks(x, matrix.Columns, format.BlockSize);                                // [..., H / 32]
        var rest = graph.Node("FusedMatMul", [sums, stored.Offsets], OnnxGraph.Microsoft, ("transB", 1)); // [..., O]
        return Named("Add", [product, rest], output);
    }

    /// <summary>
    /// The same with inputs of about 16 bits: what a product's own rounding keeps of them and the rest of them are two rows of one
    /// product, which reads the weights once.
    /// </summary>
    public string PreciseLinear(string x, Matrix matrix, BlockFormat format, string? bias, string? output)
    {
        var both = Linear(KeptAndRest(x, matrix.Columns, format.BlockSize), matrix, format, bias: null, output: null); // [2, ..., O]
        return bias is null
            ? Named("ReduceSum", [both, Whole(0)], output, "", ("keepdims", 0))
            : Named("Add", [graph.Node("ReduceSum", [both, Whole(0)], attributes: ("keepdims", 0)), bias], output);
    }

    /// <summary>Rows of a table by index.</summary>
    /// <param name="indices">[...]</param>
    /// <returns>[..., H]</returns>
    public string Rows(Matrix table, BlockFormat format, string indices)
    {
        var stored = Store(table, format);
        var codes = Once($"{table.Name}.table", name => graph.Codes(name, stored, table.Rows, format.BlocksOf(table.Columns) * format.CodeBytes));
        return graph.Node(
            "GatherBlockQuantized",
            [codes, indices, stored.Scales],
            OnnxGraph.Microsoft,
            ("gather_axis", 0),
            ("quantize_axis", 1),
            ("block_size", format.BlockSize),
            ("bits", format.Bits));
    }

    /// <summary>Inputs on the grid that the product rounds them to (127 steps to a block's largest), and what is left of them.</summary>
    /// <returns>[2, ..., H]</returns>
    private string KeptAndRest(string x, long columns, int blockSize)
    {
        var blocks = graph.Node("Reshape", [x, BlockShape(x, columns, blockSize)]);                // [..., H / 32, 32]
        var largest = graph.Node("ReduceMax", [graph.Node("Abs", [blocks]), Whole(-1)], attributes: ("keepdims", 1));
        var step = graph.Node("Max", [graph.Node("Mul", [largest, Real("blocks_step", 1f / 127)]), Real("blocks_least", 1e-30f)]); // zeros stay zeros
        var kept = graph.Node("Mul", [graph.Node("Round", [graph.Node("Div", [blocks, step])]), step]);
        var whole = graph.Node("Reshape", [kept, graph.Node("Shape", [x])]);                       // [..., H]
        string[] parts = [.. new[] { whole, graph.Node("Sub", [x, whole]) }.Select(part => graph.Node("Unsqueeze", [part, Whole(0)]))];
        return graph.Node("Concat", parts, attributes: ("axis", 0));
    }

    /// <summary>The sum of each block of inputs: what a value that all weights of a block share is multiplied by.</summary>
    private string SumBlocks(string x, long columns, int blockSize)
    {
        var blocks = graph.Node("Reshape", [x, BlockShape(x, columns, blockSize)]);                // [..., H / 32, 32]
        return graph.Node("ReduceSum", [blocks, Whole(-1)], attributes: ("keepdims", 0));
    }

    private string BlockShape(string x, long columns, int blockSize)
    {
        var leading = graph.Node("Shape", [x], attributes: [("start", 0), ("end", -1)]);
        return graph.Node("Concat", [leading, Whole(columns / blockSize, blockSize)], attributes: ("axis", 0));
    }

    private string Real(string name, float value) => Once(name, n => graph.Scalar(n, value));

    private string Whole(params long[] values) => Once($"blocks_{string.Join('_', values)}", name => graph.Constant(name, values));

    private string Once(string name, Action<string> make)
    {
        if (_made.Add(name))
        {
            make(name);
        }

        return name;
    }

    private BlockTensors Store(Matrix matrix, BlockFormat format)
    {
        if (!_stored.TryGetValue(matrix.Name, out var stored))
        {
            // A head is looked up in as well as multiplied with, and lookups know no minima.
            stored = graph.Blocks(matrix.Name, matrix.Rows, matrix.Columns, format, tryMinima: format.Bits == 4 && matrix.Kind == MatrixKind.Projection, matrix.Write);
            _stored.Add(matrix.Name, stored);
        }

        return stored;
    }

    private string Named(string op, string[] inputs, string? output, string domain = "", params OnnxAttribute[] attributes)
    {
        if (output is null)
        {
            return graph.Node(op, inputs, domain, attributes);
        }

        graph.Node(op, inputs, [output], domain, attributes);
        return output;
    }
}

/// <summary>The tensors of a matrix in blocks. Letters: O rows, b blocks of a row, H columns.</summary>
/// <param name="Offset">Where its codes begin in the weight file.</param>
/// <param name="Bytes">Bytes of its codes.</param>
/// <param name="Scales">f32 [O, b].</param>
/// <param name="Zeros">u8 [O, bytes]; null where every zero point is the middle code.</param>
/// <param name="Offsets">f32 [O, b]: what each weight of a block has beyond (code - middle) * scale; null where that is nothing.</param>
internal sealed record BlockTensors(long Offset, long Bytes, string Scales, string? Zeros, string? Offsets);
