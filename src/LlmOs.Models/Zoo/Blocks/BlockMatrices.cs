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

    /// <summary>The sum of each block of inputs: what a value that all weights of a block share is multiplied by.</summary>
    private string SumBlocks(string x, long columns, int blockSize)
    {
        var leading = graph.Node("Shape", [x], attributes: [("start", 0), ("end", -1)]);
        var shape = graph.Node("Concat", [leading, Whole(columns / blockSize, blockSize)], attributes: ("axis", 0));
        var blocks = graph.Node("Reshape", [x, shape]);                                            // [..., H / 32, 32]
        return graph.Node("ReduceSum", [blocks, Whole(-1)], attributes: ("keepdims", 0));
    }

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
