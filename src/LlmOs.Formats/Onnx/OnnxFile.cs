namespace LlmOs.Formats.Onnx;

/// <summary>An input or output of a graph.</summary>
/// <param name="Type">ONNX's number of the element type; 0 where it is no tensor.</param>
/// <param name="Shape">Null for a size that is not fixed; empty where no shape is stated.</param>
public sealed record OnnxValue(string Name, int Type, IReadOnlyList<long?> Shape);

/// <summary>
/// An ONNX file that somebody else made, as data: what goes in and out, its weights' sizes, and the files that it needs. It is
/// read field by field and never held as a whole (onnx.proto). What is not plain mathematics is refused by its name:
/// operators of a library of one's own, functions, loops, files outside its folder.
/// </summary>
public sealed class OnnxFile : IDisposable
{
    /// <summary>ONNX's numbers of f32 and i64.</summary>
    public const int RealType = 1, WholeType = 7;

    private const int MaxNodes = 1_000_000, MaxDepth = 8, MaxValues = 4096;

    /// <summary>Operators' domains that the runtime itself has.</summary>
    private static readonly string[] Domains = ["", "ai.onnx", "com.microsoft"];

    /// <summary>Operators that may never end, or that read files.</summary>
    private static readonly string[] Refused = ["Loop", "EPContext"];

    private readonly FileStream _stream;
    private readonly ProtoFile _file;
    private readonly string _name;
    private readonly HashSet<string> _external = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _weights = new(StringComparer.Ordinal);
    private readonly List<OnnxValue> _inputs = [], _outputs = [];
    private int _nodes;

    private OnnxFile(FileStream stream, string name)
    {
        (_stream, _name) = (stream, name);
        _file = new ProtoFile(stream, name);
    }

    /// <summary>Without the weights, which old files name among the inputs.</summary>
    public IReadOnlyList<OnnxValue> Inputs => [.. _inputs.Where(i => !_weights.ContainsKey(i.Name))];

    public IReadOnlyList<OnnxValue> Outputs => _outputs;

    /// <summary>Names of the weights and how many elements each has.</summary>
    public IReadOnlyDictionary<string, long> Weights => _weights;

    /// <summary>Version of the standard operators.</summary>
    public long Opset { get; private set; }

    /// <summary>Files of weights beside it; plain names.</summary>
    public IReadOnlyCollection<string> ExternalFiles => _external;

    /// <summary>The file's fields, for what is copied from it.</summary>
    public ProtoFile File => _file;

    /// <summary>Where its graph lies.</summary>
    public ProtoField Graph { get; private set; }

    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ModelFormatException">It is no ONNX file, or holds what is refused.</exception>
    public static OnnxFile Open(string path, string name)
    {
        LfsPointer.RefuseFile(path, name);
        var file = new OnnxFile(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16), name);
        try
        {
            file.Read();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _stream.Dispose();

    private void Read()
    {
        var graphs = 0;
        foreach (var field in _file.Fields(0, _file.Length))
        {
            switch (field.Number)
            {
                case 7 when field.HasLength:
                    (Graph, graphs) = (field, graphs + 1);
                    break;
                case 8 when field.HasLength:
                    ReadOpset(field);
                    break;
                case 20 or 25:
                    throw Unsupported(field.Number == 25 ? "functions of its own" : "training information");
            }
        }

        if (graphs != 1)
        {
            throw _file.Corrupt($"has {graphs} graphs");
        }

        ReadGraph(Graph, depth: 0);
    }

    private void ReadOpset(ProtoField field)
    {
        var (domain, version) = ("", 0L);
        foreach (var part in _file.Fields(field.Start, field.End))
        {
            (domain, version) = part.Number switch { 1 => (_file.Text(part), version), 2 => (domain, part.Value), _ => (domain, version) };
        }

        if (domain is "" or "ai.onnx")
        {
            Opset = version;
        }
    }

    private void ReadGraph(ProtoField graph, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Unsupported($"graphs within graphs, more than {MaxDepth} deep");
        }

        foreach (var field in Messages(graph))
        {
            switch (field.Number)
            {
                case 1:
                    ReadNode(field, depth);
                    break;
                case 5:
                    var (name, elements) = ReadTensor(field);
                    if (depth == 0 && !_weights.TryAdd(name, elements))
                    {
                        throw _file.Corrupt($"holds the weight '{name}' twice");
                    }

                    break;
                case 11 when depth == 0:
                    Add(_inputs, ReadValue(field));
                    break;
                case 12 when depth == 0:
                    Add(_outputs, ReadValue(field));
                    break;
                case 15:
                    throw Unsupported("sparse weights");
            }
        }
    }

    private void ReadNode(ProtoField node, int depth)
    {
        if (++_nodes > MaxNodes)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{_name} has more than {MaxNodes} nodes.");
        }

        var (op, domain) = ("", "");
        foreach (var field in Messages(node))
        {
            switch (field.Number)
            {
                case 4:
                    op = _file.Text(field);
                    break;
                case 7:
                    domain = _file.Text(field);
                    break;
                case 5:
                    ReadAttribute(field, depth);
                    break;
            }
        }

        if (!Domains.Contains(domain, StringComparer.Ordinal))
        {
            throw Unsupported($"the operator {op} of the domain '{domain}', which is a library's of its own");
        }

        if (Refused.Contains(op, StringComparer.Ordinal))
        {
            throw Unsupported($"the operator {op}");
        }
    }

    private void ReadAttribute(ProtoField attribute, int depth)
    {
        foreach (var field in Messages(attribute))
        {
            switch (field.Number)
            {
                case 5 or 10:
                    ReadTensor(field);
                    break;
                case 6 or 11:
                    ReadGraph(field, depth + 1);
                    break;
                case 22 or 23:
                    throw Unsupported("sparse weights");
            }
        }
    }

    private (string Name, long Elements) ReadTensor(ProtoField tensor)
    {
        var (name, elements) = ("", 1L);
        foreach (var field in _file.Fields(tensor.Start, tensor.End))
        {
            switch (field.Number)
            {
                case 1:
                    foreach (var size in _file.Wholes(field))
                    {
                        elements = size is >= 0 and <= int.MaxValue && (size == 0 || elements <= long.MaxValue / size) ? elements * size : throw _file.Corrupt("holds a weight of an impossible size");
                    }

                    break;
                case 8:
                    name = _file.Text(field);
                    break;
                case 13 when field.HasLength:
                    ReadExternal(field);
                    break;
            }
        }

        return (name, elements);
    }

    private void ReadExternal(ProtoField entry)
    {
        var (key, value) = ("", "");
        foreach (var field in _file.Fields(entry.Start, entry.End))
        {
            (key, value) = field.Number switch { 1 => (_file.Text(field), value), 2 => (key, _file.Text(field)), _ => (key, value) };
        }

        if (key == "location")
        {
            // A name here becomes a path, so it must be a plain one.
            if (value.Length is 0 or > 200 || value[0] == '.' || value.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || value.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
                || value.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{_name} names weights outside its own folder, or in a file that can hold none.");
            }

            _external.Add(value);
        }
    }

    private OnnxValue ReadValue(ProtoField field)
    {
        var (name, type, shape) = ("", 0, new List<long?>());
        foreach (var part in Messages(field))
        {
            if (part.Number == 1)
            {
                name = _file.Text(part);
            }
            else if (part.Number == 2)
            {
                // TypeProto.tensor_type: elem_type 1, shape 2 with dim 1, each dim_value 1 or dim_param 2
                foreach (var tensor in Messages(part).Where(t => t.Number == 1))
                {
                    foreach (var one in _file.Fields(tensor.Start, tensor.End))
                    {
                        if (one.Number == 1)
                        {
                            type = (int)one.Value;
                        }
                        else if (one is { Number: 2, HasLength: true })
                        {
                            shape.AddRange(Messages(one).Where(d => d.Number == 1).Take(16).Select(SizeOf));
                        }
                    }
                }
            }
        }

        return new OnnxValue(name, type, shape);
    }

    private long? SizeOf(ProtoField dimension)
    {
        long? size = null;
        foreach (var field in _file.Fields(dimension.Start, dimension.End))
        {
            size = field is { Number: 1, HasLength: false } ? field.Value : size;
        }

        return size;
    }

    private void Add(List<OnnxValue> values, OnnxValue value)
    {
        if (values.Count == MaxValues)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{_name} has more than {MaxValues} inputs or outputs.");
        }

        values.Add(value);
    }

    /// <summary>The fields that have a content.</summary>
    private IEnumerable<ProtoField> Messages(ProtoField message) => _file.Fields(message.Start, message.End).Where(f => f.HasLength);

    private ModelFormatException Unsupported(string what) => new(ModelFormatProblem.UnsupportedFormat, $"{_name} holds {what}; graphs of standard operators are read.");
}
