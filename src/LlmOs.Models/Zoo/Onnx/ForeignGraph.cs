using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Formats.Onnx;

namespace LlmOs.Models.Zoo.Onnx;

/// <summary>
/// An encoder's graph that another exporter wrote (Optimum, torch.onnx), read as the engine's: which of its outputs are states, a
/// sentence's vector or scores. Decoders' graphs keep their cache in another form and are refused.
/// </summary>
internal sealed class ForeignGraph : IDisposable
{
    private const string Mask = "attention_mask", Places = "position_ids", Sentence = EncoderNames.Sentence, Own = "llmos/";

    /// <summary>Range, which the mask is made with, came with it.</summary>
    private const int MinOpset = 11;

    private static readonly string[] States = [EncoderNames.LastHiddenState, "token_embeddings"];
    private static readonly string[] Spans = ["start_logits", "end_logits"];

    private readonly OnnxFile _file;
    private readonly string? _states;

    private ForeignGraph(OnnxFile file, string name, ConfigJson config)
    {
        _file = file;
        var outputs = file.Outputs.Where(o => o.Type == OnnxFile.RealType).ToDictionary(o => o.Name, StringComparer.Ordinal);
        CheckInputs(file, name);
        _states = Array.Find(States, outputs.ContainsKey);
        var logits = outputs.GetValueOrDefault(EncoderNames.Logits);
        var isSpans = Array.TrueForAll(Spans, outputs.ContainsKey);
        var sentence = outputs.GetValueOrDefault(Sentence);
        if (_states is null && sentence is null && logits is null && !isSpans)
        {
            throw Unsupported(name, $"has the outputs {string.Join(", ", file.Outputs.Take(8).Select(o => o.Name))}; read are {string.Join(", ", States)}, {Sentence}, {EncoderNames.Logits}, or {string.Join(" with ", Spans)}");
        }

        var className = config.Texts("architectures") is [var first, ..] ? first : "";
        if (logits is not null && (className.EndsWith("LM", StringComparison.Ordinal) || logits.Shape.Count is not (2 or 3)))
        {
            throw Unsupported(name, $"has logits of shape [{string.Join(", ", logits.Shape.Select(s => s?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?"))}] of a {ModelShortName(className)}; read are classifiers of texts [B, labels] and of tokens [B, S, labels]");
        }

        Head = isSpans ? EncoderHead.Spans
            : logits is null ? EncoderHead.None
            : logits.Shape.Count == 2 ? EncoderHead.TextLabels
            : EncoderHead.TokenLabels;
        Labels = logits?.Shape[^1];
        Hidden = _states is null ? null : outputs[_states].Shape is [_, _, { } width] ? width : null;
        SentenceWidth = sentence is null ? 0
            : sentence.Shape is [_, { } size] and [_, > 0 and <= 1 << 18] ? (int)size
            : throw Unsupported(name, $"does not state the width of {Sentence}");
        HasStates = _states is not null;
        HasTypes = file.Inputs.Any(i => i.Name == EncoderNames.TokenTypes);
    }

    public EncoderHead Head { get; }

    public long? Labels { get; }

    /// <summary>Null where the graph does not state it.</summary>
    public long? Hidden { get; }

    /// <summary>0: there is no such output.</summary>
    public int SentenceWidth { get; }

    public bool HasStates { get; }

    public bool HasTypes { get; }

    public long Parameters => _file.Weights.Values.Sum();

    public IReadOnlyCollection<string> ExternalFiles => _file.ExternalFiles;

    /// <exception cref="ModelFormatException">It is no such graph; the message says what was found and what is read.</exception>
    public static ForeignGraph Open(string path, string name, ConfigJson config)
    {
        var file = OnnxFile.Open(path, name);
        try
        {
            return new ForeignGraph(file, name, config);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>
    /// Writes the graph with the inputs and outputs of the engine: the mask is made from the texts' lengths, positions are counted,
    /// outputs bear the names of <see cref="EncoderNames"/>. Nodes and weights are copied as they are.
    /// </summary>
    public void Write(string path)
    {
        var (first, last) = (new ProtoWriter(), new ProtoWriter());
        WriteMask(first);
        WriteOutputs(last);
        var kept = _file.File.Fields(_file.Graph.Start, _file.Graph.End).Where(IsKept).ToList();
        var length = first.Written.Length + last.Written.Length + kept.Sum(f => f.End - f.Key);
        var header = new ProtoWriter();
        header.Length(7, length);

        using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        foreach (var field in _file.File.Fields(0, _file.File.Length))
        {
            if (field.Key != _file.Graph.Key)
            {
                _file.File.CopyTo(target, field.Key, field.End);
                continue;
            }

            // Nodes stand in the order in which they run: what makes the mask before the rest, what names outputs after it.
            target.Write(header.Written);
            target.Write(first.Written);
            kept.ForEach(f => _file.File.CopyTo(target, f.Key, f.End));
            target.Write(last.Written);
        }

        target.Flush(flushToDisk: true);
    }

    private static void CheckInputs(OnnxFile file, string name)
    {
        string[] known = [EncoderNames.InputIds, Mask, EncoderNames.TokenTypes, Places];
        if (file.Inputs.FirstOrDefault(i => !known.Contains(i.Name) || i.Type != OnnxFile.WholeType) is { } other)
        {
            throw Unsupported(name, $"wants the input '{other.Name}'; read are graphs of encoders with {string.Join(", ", known)} as 64-bit whole numbers");
        }

        if (known[..2].FirstOrDefault(needed => !file.Inputs.Any(i => i.Name == needed)) is { } absent)
        {
            throw Unsupported(name, $"has no input '{absent}'");
        }

        if (file.Opset < MinOpset)
        {
            throw Unsupported(name, $"is of opset {file.Opset}; at least {MinOpset} is needed");
        }
    }

    private bool IsKept(ProtoField field)
    {
        if (field is { Number: 12, HasLength: true })
        {
            return false;
        }

        return field is not { Number: 11, HasLength: true } || !NameOf(field).Equals(Mask, StringComparison.Ordinal) && !NameOf(field).Equals(Places, StringComparison.Ordinal);
    }

    private string NameOf(ProtoField value) =>
        _file.File.Fields(value.Start, value.End).Where(f => f is { Number: 1, HasLength: true }).Select(_file.File.Text).FirstOrDefault() ?? "";

    private void WriteMask(ProtoWriter graph)
    {
        Whole(graph, Own + "zero", [], 0);
        Whole(graph, Own + "one", [], 1);
        Whole(graph, Own + "column", [2], -1, 1);
        Node(graph, "Shape", [EncoderNames.InputIds], Own + "shape");                                     // [2]: B, S
        Node(graph, "Gather", [Own + "shape", Own + "one"], Own + "tokens");                              // S
        Node(graph, "Range", [Own + "zero", Own + "tokens", Own + "one"], Own + "places");                // [S]
        Node(graph, "Cast", [EncoderNames.Lengths], Own + "wide", ("to", (long)OnnxType.Int64));          // [B]
        Node(graph, "Reshape", [Own + "wide", Own + "column"], Own + "ends");                             // [B, 1]
        Node(graph, "Less", [Own + "places", Own + "ends"], Own + "within");                              // [B, S]
        Node(graph, "Cast", [Own + "within"], Mask, ("to", (long)OnnxType.Int64));                        // [B, S]
        if (_file.Inputs.Any(i => i.Name == Places))
        {
            Node(graph, "Expand", [Own + "places", Own + "shape"], Places);                               // [B, S]
        }

        Value(graph, 11, EncoderNames.Lengths, OnnxType.Int32, "B");
    }

    private void WriteOutputs(ProtoWriter graph)
    {
        if (_states is not null)
        {
            if (_states != EncoderNames.LastHiddenState)
            {
                Node(graph, "Identity", [_states], EncoderNames.LastHiddenState);
            }

            Value(graph, 12, EncoderNames.LastHiddenState, OnnxType.Float, "B", "S", "H");
        }

        if (SentenceWidth > 0)
        {
            Value(graph, 12, Sentence, OnnxType.Float, "B", "W");
        }

        switch (Head)
        {
            case EncoderHead.TextLabels:
                Value(graph, 12, EncoderNames.Logits, OnnxType.Float, "B", "L");
                break;
            case EncoderHead.TokenLabels:
                Value(graph, 12, EncoderNames.Logits, OnnxType.Float, "B", "S", "L");
                break;
            case EncoderHead.Spans:
                Whole(graph, Own + "pair", [1], 1);
                Node(graph, "Concat", [Own + "shape", Own + "pair"], Own + "columns", ("axis", 0L));      // [3]: B, S, 1
                Node(graph, "Reshape", [Spans[0], Own + "columns"], Own + "begins");                      // [B, S, 1]
                Node(graph, "Reshape", [Spans[1], Own + "columns"], Own + "finishes");                    // [B, S, 1]
                Node(graph, "Concat", [Own + "begins", Own + "finishes"], EncoderNames.Logits, ("axis", 2L)); // [B, S, 2]
                Value(graph, 12, EncoderNames.Logits, OnnxType.Float, "B", "S", "two");
                break;
        }
    }

    private static void Node(ProtoWriter graph, string op, string[] inputs, string output, params OnnxAttribute[] attributes) => graph.Message(1, node =>
    {
        Array.ForEach(inputs, input => node.Text(1, input));
        node.Text(2, output);
        node.Text(4, op);
        Array.ForEach(attributes, attribute => node.Message(5, attribute.Write));
    });

    private static void Whole(ProtoWriter graph, string name, long[] shape, params long[] values) => graph.Message(5, tensor =>
    {
        Array.ForEach(shape, size => tensor.Int(1, size));
        tensor.Int(2, (int)OnnxType.Int64);
        tensor.Text(8, name);
        tensor.Bytes(9, System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(values));
    });

    private static void Value(ProtoWriter graph, int field, string name, OnnxType type, params string[] shape) => graph.Message(field, value =>
    {
        value.Text(1, name);
        value.Message(2, typeProto => typeProto.Message(1, tensor =>
        {
            tensor.Int(1, (int)type);
            tensor.Message(2, dimensions => Array.ForEach(shape, size => dimensions.Message(1, one => one.Text(2, size))));
        }));
    });

    private static string ModelShortName(string className) => className.Length is > 0 and <= 80 ? className : "model";

    private static ModelFormatException Unsupported(string name, string what) =>
        new(ModelFormatProblem.UnsupportedFormat, $"{name} {what}. Import the model's safetensors instead; the graph is then made here.");
}
