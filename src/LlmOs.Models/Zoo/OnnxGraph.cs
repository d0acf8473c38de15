using System.Globalization;
using System.Runtime.InteropServices;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>
/// Builds an ONNX model and writes it as <c>model.onnx</c> with its weights beside it in <c>weights.bin</c>.
/// Field numbers are those of onnx.proto (IR version 10).
/// </summary>
internal sealed class OnnxGraph : IDisposable
{
    public const string FileName = "model.onnx";

    /// <summary>The domain of the operators that ONNX Runtime adds.</summary>
    public const string Microsoft = "com.microsoft";

    private const int IrVersion = 10;
    private const int Opset = 21;

    private readonly string? _folder;
    private readonly string _file = FileName;
    private readonly string _weightsName = WeightFile.FileName;
    private readonly string _name;
    private readonly WeightFile? _weights; // null for a sketch
    private readonly ProtoWriter _inputs = new();
    private readonly ProtoWriter _outputs = new();
    private readonly ProtoWriter _nodes = new();
    private readonly ProtoWriter _initializers = new();
    private int _nodeCount;

    /// <param name="name">The graph's name.</param>
    /// <param name="folder">An existing folder without either file.</param>
    public OnnxGraph(string name, string folder, string file = FileName, string weights = WeightFile.FileName)
    {
        (_name, _folder, _file, _weightsName) = (name, folder, file, weights);
        _weights = new WeightFile(folder, weights);
    }

    private OnnxGraph() => _name = "sketch";

    /// <summary>A graph without files: what is built into it is only counted, which tells the weights that it needs.</summary>
    public static OnnxGraph Sketch() => new();

    public string Input(string name, OnnxType type, params OnnxDim[] shape)
    {
        _inputs.Message(11, info => ValueInfo(info, name, type, shape));
        return name;
    }

    public void Output(string name, OnnxType type, params OnnxDim[] shape) =>
        _outputs.Message(12, info => ValueInfo(info, name, type, shape));

    /// <summary>Adds a node with one output, whose name is returned.</summary>
    /// <param name="inputs">An empty name leaves an optional input out.</param>
    public string Node(string op, string[] inputs, string domain = "", params OnnxAttribute[] attributes)
    {
        var output = $"{op}_{_nodeCount}";
        Node(op, inputs, [output], domain, attributes);
        return output;
    }

    /// <summary>Adds a node whose outputs are named by the caller; an empty name leaves one out.</summary>
    public void Node(string op, string[] inputs, string[] outputs, string domain = "", params OnnxAttribute[] attributes)
    {
        var name = $"node_{_nodeCount++}_{op}";
        _nodes.Message(1, node =>
        {
            foreach (var input in inputs)
            {
                node.Text(1, input);
            }

            foreach (var output in outputs)
            {
                node.Text(2, output);
            }

            node.Text(3, name);
            node.Text(4, op);
            foreach (var attribute in attributes)
            {
                node.Message(5, attribute.Write);
            }

            node.Text(7, domain);
        });
    }

    /// <summary>A small constant of whole numbers, kept in the graph itself. Shape: [values].</summary>
    public string Constant(string name, params long[] values) =>
        Inline(name, OnnxType.Int64, [values.Length], MemoryMarshal.AsBytes<long>(values));

    /// <summary>A single whole number without dimensions, kept in the graph itself.</summary>
    public string Scalar(string name, long value) => Inline(name, OnnxType.Int64, [], MemoryMarshal.AsBytes<long>([value]));

    /// <summary>A single f32 without dimensions, kept in the graph itself.</summary>
    public string Scalar(string name, float value) => Inline(name, OnnxType.Float, [], MemoryMarshal.AsBytes<float>([value]));

    /// <summary>A f32 tensor in the weight file; <paramref name="write"/> must write exactly the shape's elements.</summary>
    public string Weight(string name, long[] shape, Action<IFloatSink> write)
    {
        if (_weights is null)
        {
            return name;
        }

        var offset = _weights.Align();
        write(_weights);
        var bytes = _weights.Position - offset;
        var expected = shape.Aggregate((long)sizeof(float), (product, n) => product * n);
        if (bytes != expected)
        {
            throw new InvalidOperationException($"Weight '{name}' [{string.Join(", ", shape)}] needs {expected} bytes, {bytes} were written.");
        }

        return Stored(name, OnnxType.Float, shape, offset, bytes);
    }

    /// <summary>A matrix in blocks in the weight file; <paramref name="write"/> writes its elements as f32 and may be called twice.</summary>
    /// <param name="tryMinima">Whether a matrix whose blocks all are 4-bit codes with a minimum is stored as such, without loss.</param>
    public BlockTensors Blocks(string name, long rows, long columns, BlockFormat format, bool tryMinima, Action<IFloatSink> write)
    {
        if (_weights is null)
        {
            return new BlockTensors(0, 0, name, null, null);
        }

        var inRow = format.BlocksOf(columns);
        if (rows * inRow > Array.MaxLength)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"Matrix '{name}' [{rows}, {columns}] has more than {Array.MaxLength} blocks. Import the model as f32.");
        }

        var offset = _weights.Align();
        if (tryMinima)
        {
            using var affine = new BlockSink(_weights, format, (int)(rows * inRow), withMinima: true);
            write(affine);
            if (affine.IsOpen)
            {
                return Finish(name, rows, columns, format, affine, offset);
            }

            _weights.Rewind(offset);
        }

        using var rounded = new BlockSink(_weights, format, (int)(rows * inRow), withMinima: false);
        write(rounded);
        return Finish(name, rows, columns, format, rounded, offset);
    }

    /// <summary>Scales and what else belongs to the codes that a sink has written.</summary>
    private BlockTensors Finish(string name, long rows, long columns, BlockFormat format, BlockSink sink, long offset)
    {
        var inRow = format.BlocksOf(columns);
        var bytes = _weights!.Position - offset;
        if (sink.Scales.Length != rows * inRow || bytes != rows * inRow * format.CodeBytes)
        {
            throw new InvalidOperationException($"Matrix '{name}' [{rows}, {columns}] needs {rows * inRow} blocks, {sink.Scales.Length} were written.");
        }

        var scales = Floats(name + ".scales", [rows, inRow], sink.Scales);
        if (!sink.Minima.IsEmpty)
        {
            // (code - middle) * scale + offset = code * scale + minimum
            var offsets = new float[sink.Scales.Length];
            for (var i = 0; i < offsets.Length; i++)
            {
                offsets[i] = sink.Minima[i] + (format.MiddleCode * sink.Scales[i]);
            }

            return new BlockTensors(offset, bytes, scales, null, Floats(name + ".offsets", [rows, inRow], offsets));
        }

        if (format.Symmetric)
        {
            return new BlockTensors(offset, bytes, scales, null, null);
        }

        var zeros = sink.PackedZeros(inRow);
        var at = _weights.Align();
        _weights.WriteBytes(zeros);
        return new BlockTensors(offset, bytes, scales, Stored(name + ".zeros", OnnxType.UInt8, [rows, zeros.Length / rows], at, zeros.Length), null);
    }

    /// <summary>Writes the model file; returns its path.</summary>
    public string Save()
    {
        var model = new ProtoWriter();
        model.Int(1, IrVersion);
        model.Text(2, "LlmOs");
        model.Message(7, graph =>
        {
            // Each part already carries its own keys, and the order of fields is free.
            graph.Append(_nodes);
            graph.Text(2, _name);
            graph.Append(_initializers);
            graph.Append(_inputs);
            graph.Append(_outputs);
        });
        OpsetImport(model, "", Opset);
        OpsetImport(model, Microsoft, 1);

        if (_weights is null)
        {
            throw new InvalidOperationException("A sketch is not saved.");
        }

        _weights.Flush();
        var path = Path.Combine(_folder!, _file);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        file.Write(model.Written);
        file.Flush(flushToDisk: true);
        return path;
    }

    public void Dispose() => _weights?.Dispose();

    /// <summary>A name for the codes of a matrix in blocks, in a shape of their bytes; several names may share them.</summary>
    public string Codes(string name, BlockTensors matrix, params long[] shape) =>
        _weights is null ? name : Stored(name, OnnxType.UInt8, shape, matrix.Offset, matrix.Bytes);

    private string Floats(string name, long[] shape, ReadOnlySpan<float> values)
    {
        var offset = _weights!.Align();
        _weights.Write(values);
        return Stored(name, OnnxType.Float, shape, offset, values.Length * (long)sizeof(float));
    }

    /// <summary>Names a range of the weight file; several names may share one.</summary>
    private string Stored(string name, OnnxType type, long[] shape, long offset, long bytes)
    {
        _initializers.Message(5, tensor =>
        {
            foreach (var dimension in shape)
            {
                tensor.Int(1, dimension);
            }

            tensor.Int(2, (int)type);
            tensor.Text(8, name);
            External(tensor, "location", _weightsName);
            External(tensor, "offset", offset.ToString(CultureInfo.InvariantCulture));
            External(tensor, "length", bytes.ToString(CultureInfo.InvariantCulture));
            tensor.Int(14, 1); // data_location: external
        });
        return name;
    }

    private string Inline(string name, OnnxType type, long[] shape, ReadOnlySpan<byte> values)
    {
        var bytes = values.ToArray();
        _initializers.Message(5, tensor =>
        {
            foreach (var dimension in shape)
            {
                tensor.Int(1, dimension);
            }

            tensor.Int(2, (int)type);
            tensor.Text(8, name);
            tensor.Bytes(9, bytes);
        });
        return name;
    }

    private static void OpsetImport(ProtoWriter model, string domain, int version) => model.Message(8, import =>
    {
        import.Text(1, domain);
        import.Int(2, version);
    });

    private static void External(ProtoWriter tensor, string key, string value) => tensor.Message(13, entry =>
    {
        entry.Text(1, key);
        entry.Text(2, value);
    });

    private static void ValueInfo(ProtoWriter info, string name, OnnxType type, OnnxDim[] shape)
    {
        info.Text(1, name);
        info.Message(2, typeProto => typeProto.Message(1, tensor =>
        {
            tensor.Int(1, (int)type);
            tensor.Message(2, shapeProto =>
            {
                foreach (var dimension in shape)
                {
                    shapeProto.Message(1, dim =>
                    {
                        if (dimension.Size is { } size)
                        {
                            dim.Int(1, size);
                        }
                        else
                        {
                            dim.Text(2, dimension.Name!);
                        }
                    });
                }
            });
        }));
    }
}
