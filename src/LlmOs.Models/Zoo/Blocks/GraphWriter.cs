using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// What every architecture is made of: weights by their published names, matrix products, norms and activations.
/// On a sketch nothing is read; it gathers the weights that the architecture needs.
/// </summary>
/// <remarks>Letters in shapes: B rows of the batch, S tokens of a row, H width of the input, O width of the output.</remarks>
/// <param name="ties">For the names of weights that are one and the same, the name under which that one is read.</param>
internal sealed class GraphWriter(
    OnnxGraph graph, IWeightSource? weights, IReadOnlyDictionary<string, string> ties, WeightPrecision precision, CancellationToken cancel)
{
    private readonly BlockMatrices _blocks = new(graph);
    private readonly Dictionary<string, TensorInfo> _needed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _order = [];

    public OnnxGraph Graph { get; } = graph;

    /// <summary>The published weights used so far, in the order of their first use.</summary>
    public IReadOnlyList<TensorInfo> Needed => _order;

    /// <summary>
    /// A product with a weight matrix, and a bias: the one place through which every weight matrix of a graph goes.
    /// </summary>
    /// <param name="x">[..., H]</param>
    /// <param name="bias">[O] tensor of the graph, or null.</param>
    /// <param name="output">The result's name; null makes one.</param>
    /// <returns>[..., O]</returns>
    public string Linear(string x, Matrix matrix, string? bias = null, string? output = null)
    {
        if (LinearBlocks.FormatOf(precision, matrix.Kind, matrix.Columns) is { } format)
        {
            return precision == WeightPrecision.EightBit && matrix.IsSensitive
                ? _blocks.PreciseLinear(x, matrix, format, bias, output)
                : _blocks.Linear(x, matrix, format, bias, output);
        }

        var weight = Once(matrix.Name, name => Graph.Weight(name, [matrix.Rows, matrix.Columns], matrix.Write));
        if (bias is not null)
        {
            var product = Graph.Node("FusedMatMul", [x, weight], OnnxGraph.Microsoft, ("transB", 1));
            return Named("Add", [product, bias], output);
        }

        return Named("FusedMatMul", [x, weight], output, OnnxGraph.Microsoft, ("transB", 1));
    }

    /// <summary>A published layer: <c>name.weight</c> [O, H] and, where there is one, <c>name.bias</c> [O].</summary>
    public string Linear(string x, string name, long rows, long columns, bool bias) =>
        Linear(x, Published(name + ".weight", rows, columns), bias ? Weight(name + ".bias", rows) : null);

    /// <summary>A published matrix as it is.</summary>
    public Matrix Published(string name, long rows, long columns)
    {
        name = Tied(name);
        Need(name, rows, columns);
        return new Matrix(name, rows, columns, sink => Copy(sink, name, 0, rows * columns));
    }

    /// <summary>Published matrices of the same width below each other.</summary>
    public Matrix Stacked(string name, long columns, params (string Name, long Rows)[] parts)
    {
        foreach (var part in parts)
        {
            Need(part.Name, part.Rows, columns);
        }

        return new Matrix(name, parts.Sum(p => p.Rows), columns, sink =>
        {
            foreach (var part in parts)
            {
                Copy(sink, part.Name, 0, part.Rows * columns);
            }
        });
    }

    /// <summary>Published vectors one after the other.</summary>
    public string StackedVector(string name, params (string Name, long Length)[] parts)
    {
        foreach (var part in parts)
        {
            Need(part.Name, part.Length);
        }

        return Made(name, [parts.Sum(p => p.Length)], sink =>
        {
            foreach (var part in parts)
            {
                Copy(sink, part.Name, 0, part.Length);
            }
        });
    }

    /// <summary>A published tensor as it is.</summary>
    public string Weight(string name, params long[] shape)
    {
        name = Tied(name);
        Need(name, shape);
        return Made(name, shape, sink => Copy(sink, name, 0, shape.Aggregate(1L, (product, n) => product * n)));
    }

    /// <summary>A published tensor with each element changed.</summary>
    public string Weight(string name, long[] shape, Func<float, float> map)
    {
        name = Tied(name);
        Need(name, shape);
        return Made(name, shape, sink => sink.Copy(weights!, name, 0, shape.Aggregate(1L, (product, n) => product * n), cancel, map));
    }

    /// <summary>A tensor that the graph needs and no file holds, or one put together from published ones that were asked for by <see cref="Need"/>.</summary>
    public string Made(string name, long[] shape, Action<IFloatSink> write) => Once(name, n => Graph.Weight(n, shape, write));

    /// <summary>Notes that a published tensor is used.</summary>
    public void Need(string name, params long[] shape)
    {
        if (_needed.TryGetValue(name, out var known))
        {
            if (!known.Shape.SequenceEqual(shape))
            {
                throw new InvalidOperationException($"Weight '{name}' is used as {known.ShapeText} and as [{string.Join(", ", shape)}].");
            }

            return;
        }

        var tensor = new TensorInfo(name, TensorType.F32, shape);
        _needed.Add(name, tensor);
        _order.Add(tensor);
    }

    /// <summary>Copies a run of a published tensor's elements.</summary>
    public void Copy(IFloatSink sink, string name, long offset, long count) => sink.Copy(weights!, name, offset, count, cancel);

    /// <summary>A small published tensor's elements; only while weights are written.</summary>
    public float[] Read(string name)
    {
        var values = new float[_needed[name].Elements];
        weights!.Read(name, 0, values);
        return values;
    }

    /// <summary>Rows of an embedding by index; it may be the head's matrix too.</summary>
    public string Rows(Matrix table, string indices) => LinearBlocks.FormatOf(precision, table.Kind, table.Columns) is { } format
        ? _blocks.Rows(table, format, indices)
        : Lookup(Once(table.Name, name => Graph.Weight(name, [table.Rows, table.Columns], table.Write)), indices);

    /// <summary>Rows of a published table [rows, width] by index.</summary>
    public string Lookup(string table, string indices) => Graph.Node("Gather", [table, indices], attributes: ("axis", 0));

    public string Add(string x, string y) => Graph.Node("Add", [x, y]);

    public string Multiply(string x, string y) => Graph.Node("Mul", [x, y]);

    public string Scale(string x, double factor) => factor == 1 ? x : Multiply(x, Real(factor));

    /// <summary>A f32 constant without dimensions.</summary>
    public string Real(double value) => Once($"real_{(float)value:R}", name => Graph.Scalar(name, (float)value));

    /// <summary>A whole number without dimensions.</summary>
    public string Whole(long value) => Once($"whole_{value}", name => Graph.Scalar(name, value));

    /// <summary>A list of whole numbers: a shape, axes, widths.</summary>
    public string Wholes(params long[] values) => Once($"wholes_{string.Join('_', values)}", name => Graph.Constant(name, values));

    /// <summary>Layer norm over the last axis; <c>name.weight</c> and, where there is one, <c>name.bias</c>.</summary>
    public string LayerNorm(string x, string name, long width, double epsilon, bool bias = true) => Graph.Node(
        "LayerNormalization",
        bias ? [x, Weight(name + ".weight", width), Weight(name + ".bias", width)] : [x, Weight(name + ".weight", width)],
        "",
        ("axis", -1),
        ("epsilon", (float)epsilon),
        ("stash_type", 1));

    /// <summary>Root-mean-square norm over the last axis with a gain [H].</summary>
    public string RmsNorm(string x, string gain, double epsilon) => Graph.Node(
        "SimplifiedLayerNormalization", [x, gain], "", ("axis", -1), ("epsilon", (float)epsilon), ("stash_type", 1));

    public string Activate(Activation activation, string x) => activation switch
    {
        Activation.Silu => Graph.Node("QuickGelu", [x], OnnxGraph.Microsoft, ("alpha", 1f)), // x * sigmoid(x)
        Activation.QuickGelu => Graph.Node("QuickGelu", [x], OnnxGraph.Microsoft, ("alpha", 1.702f)),
        Activation.Gelu => Graph.Node("Gelu", [x], OnnxGraph.Microsoft),
        Activation.GeluTanh => Graph.Node("FastGelu", [x], OnnxGraph.Microsoft),
        Activation.Relu => Graph.Node("Relu", [x]),
        Activation.Tanh => Graph.Node("Tanh", [x]),
    };

    /// <summary>cap * tanh(x / cap).</summary>
    public string SoftCap(string x, double cap) => Multiply(Graph.Node("Tanh", [Scale(x, 1 / cap)]), Real(cap));

    /// <summary>Cuts the last axis into parts of the given widths.</summary>
    public string[] Split(string x, string name, params long[] widths)
    {
        name = Fresh(name);
        string[] parts = [.. widths.Select((_, i) => $"{name}.part{i}")];
        Graph.Node("Split", [x, Wholes(widths)], parts, "", ("axis", -1));
        return parts;
    }

    /// <summary>The name, or one like it where it has been taken: layers that share weights give out values of their own.</summary>
    public string Fresh(string name)
    {
        var uses = _taken[name] = _taken.GetValueOrDefault(name) + 1;
        return uses == 1 ? name : $"{name}.{uses}";
    }

    private string Tied(string name) => ties.GetValueOrDefault(name, name);

    private string Named(string op, string[] inputs, string? output, string domain = "", params OnnxAttribute[] attributes)
    {
        if (output is null)
        {
            return Graph.Node(op, inputs, domain, attributes);
        }

        Graph.Node(op, inputs, [output], domain, attributes);
        return output;
    }

    private string Once(string name, Func<string, string> make)
    {
        if (_made.Add(name))
        {
            make(name);
        }

        return name;
    }
}
