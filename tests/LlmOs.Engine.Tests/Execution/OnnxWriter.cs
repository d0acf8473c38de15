using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace LlmOs.Engine.Tests.Execution;

/// <summary>Writes the few parts of an ONNX file (protobuf; field numbers from onnx.proto) that the tests' graphs need.</summary>
internal sealed class OnnxWriter
{
    public const int Float = 1;
    public const int Int32 = 6;
    public const int Int64 = 7;

    private readonly Message _graph = new();
    private int _nodes;

    public OnnxWriter() => _graph.Text(2, "test");

    public void Input(string name, int type, params object[] dimensions) => _graph.Nested(11, Value(name, type, dimensions));

    public void Output(string name, int type, params object[] dimensions) => _graph.Nested(12, Value(name, type, dimensions));

    public string Constant(string name, ReadOnlySpan<float> values, params long[] dimensions) =>
        Constant(name, Float, MemoryMarshal.AsBytes(values), dimensions);

    public string Constant(string name, ReadOnlySpan<long> values, params long[] dimensions) =>
        Constant(name, Int64, MemoryMarshal.AsBytes(values), dimensions);

    /// <summary>A constant whose values lie in another file; for reading the graph, not for running it.</summary>
    public void External(string name, string file)
    {
        var location = new Message();
        location.Text(1, "location");
        location.Text(2, file);
        var offset = new Message();
        offset.Text(1, "offset");
        offset.Text(2, "0");
        var tensor = new Message();
        tensor.Number(1, 4);
        tensor.Number(2, Float);
        tensor.Text(8, name);
        tensor.Nested(13, location);
        tensor.Nested(13, offset);
        tensor.Number(14, 1);
        _graph.Nested(5, tensor);
    }

    /// <summary>Adds a node; an empty output name leaves that output out.</summary>
    public void Node(string operation, string domain, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new Message();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        foreach (var output in outputs)
        {
            node.Text(2, output);
        }

        node.Text(3, $"{operation}_{_nodes++}");
        node.Text(4, operation);
        foreach (var (name, value) in attributes)
        {
            node.Nested(5, Attribute(name, value));
        }

        node.Text(7, domain);
        _graph.Nested(1, node);
    }

    /// <summary>Adds a node with one output and returns its name.</summary>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var output = $"{operation}_{_nodes}_out";
        Node(operation, string.Empty, inputs, [output], attributes);
        return output;
    }

    public byte[] ToModel()
    {
        var model = new Message();
        model.Number(1, 10);
        model.Nested(7, _graph);
        model.Nested(8, Opset(string.Empty, 21));
        model.Nested(8, Opset("com.microsoft", 1));
        return model.ToArray();
    }

    private string Constant(string name, int type, ReadOnlySpan<byte> bytes, long[] dimensions)
    {
        var tensor = new Message();
        foreach (var dimension in dimensions)
        {
            tensor.Number(1, dimension);
        }

        tensor.Number(2, type);
        tensor.Text(8, name);
        tensor.Bytes(9, bytes);
        _graph.Nested(5, tensor);
        return name;
    }

    private static Message Opset(string domain, long version)
    {
        var opset = new Message();
        opset.Text(1, domain);
        opset.Number(2, version);
        return opset;
    }

    private static Message Value(string name, int type, object[] dimensions)
    {
        var shape = new Message();
        foreach (var dimension in dimensions)
        {
            var one = new Message();
            if (dimension is string symbol)
            {
                one.Text(2, symbol);
            }
            else
            {
                one.Number(1, Convert.ToInt64(dimension, System.Globalization.CultureInfo.InvariantCulture));
            }

            shape.Nested(1, one);
        }

        var tensor = new Message();
        tensor.Number(1, type);
        tensor.Nested(2, shape);
        var wrapped = new Message();
        wrapped.Nested(1, tensor);
        var value = new Message();
        value.Text(1, name);
        value.Nested(2, wrapped);
        return value;
    }

    private static Message Attribute(string name, object value)
    {
        var attribute = new Message();
        attribute.Text(1, name);
        switch (value)
        {
            case float real:
                attribute.Real(2, real);
                attribute.Number(20, 1);
                break;
            case int whole:
                attribute.Number(3, whole);
                attribute.Number(20, 2);
                break;
            default:
                throw new ArgumentException($"An attribute cannot be a {value.GetType().Name}.", nameof(value));
        }

        return attribute;
    }

    private sealed class Message
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        public void Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
        }

        public void Real(int field, float value)
        {
            Varint(((ulong)field << 3) | 5);
            _bytes.Write(BitConverter.GetBytes(value));
        }

        public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public void Nested(int field, Message message) => Bytes(field, message.ToArray());

        public void Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)value.Length);
            _bytes.Write(value);
        }

        private void Varint(ulong value)
        {
            while (value >= 0x80)
            {
                _bytes.Write([(byte)(value | 0x80)]);
                value >>= 7;
            }

            _bytes.Write([(byte)value]);
        }
    }
}
