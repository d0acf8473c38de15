using System.Text;

namespace LlmOs.Engine.Execution;

/// <summary>How large a graph is on disk: the ONNX file and the files of external data that it names.</summary>
/// <remarks>
/// Reads only the few protobuf fields on the way to those names (onnx.proto): ModelProto.graph 7, GraphProto.initializer 5,
/// TensorProto.external_data 13, StringStringEntryProto key 1 and value 2. Everything else is skipped, not loaded.
/// </remarks>
internal static class GraphFiles
{
    private const int Graph = 7;
    private const int Initializer = 5;
    private const int ExternalData = 13;

    /// <summary>Bytes of a name or value of external data; a file's name has a few dozen.</summary>
    private const int MaxTextBytes = 4096;

    /// <exception cref="EngineGraphException">The file is cut off or not an ONNX file, or names a file outside its folder.</exception>
    public static long Bytes(string onnxPath)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(onnxPath))!;
        using var file = new BufferedStream(File.OpenRead(onnxPath), 4096);
        return file.Length + ExternalFiles(file).Select(name => new FileInfo(Path.Combine(folder, name))).Where(f => f.Exists).Sum(f => f.Length);
    }

    /// <summary>The names of the files of external data; each is a plain name, so it lies in the graph's own folder.</summary>
    internal static IReadOnlyCollection<string> ExternalFiles(Stream file)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var graphEnd in Fields(file, file.Length, Graph))
        {
            foreach (var tensorEnd in Fields(file, graphEnd, Initializer))
            {
                foreach (var entryEnd in Fields(file, tensorEnd, ExternalData))
                {
                    AddLocation(file, entryEnd, names);
                }
            }
        }

        return names;
    }

    private static void AddLocation(Stream file, long end, HashSet<string> names)
    {
        var isLocation = false;
        while (file.Position < end)
        {
            var tag = Varint(file);
            var length = Varint(file);
            if ((tag & 7) != 2 || length is < 0 or > MaxTextBytes || length > end - file.Position)
            {
                throw new EngineGraphException("The graph's file names its external data in a form that is not ONNX.");
            }

            var field = tag >> 3;
            var bytes = new byte[length];
            file.ReadExactly(bytes);
            var text = Encoding.UTF8.GetString(bytes);
            if (field == 1)
            {
                isLocation = text == "location";
            }
            else if (field == 2 && isLocation)
            {
                if (text.Length == 0 || text is "." or ".." || text.AsSpan().IndexOfAny("/\\:\0") >= 0)
                {
                    throw new EngineGraphException("The graph's file names external data outside its own folder.");
                }

                names.Add(text);
            }
        }
    }

    /// <summary>Stands at the beginning of each field of this number in turn and gives the position where it ends.</summary>
    private static IEnumerable<long> Fields(Stream file, long end, int wanted)
    {
        while (file.Position < end)
        {
            var tag = Varint(file);
            switch (tag & 7)
            {
                case 0:
                    Varint(file);
                    break;
                case 1:
                    file.Seek(8, SeekOrigin.Current);
                    break;
                case 5:
                    file.Seek(4, SeekOrigin.Current);
                    break;
                case not 2:
                    throw new EngineGraphException("The graph's file holds a field of an unknown kind; it is not an ONNX file.");
                default:
                    var length = Varint(file);
                    if (length < 0 || length > end - file.Position)
                    {
                        throw new EngineGraphException("The graph's file holds a field that is longer than what is around it; it is cut off or not an ONNX file.");
                    }

                    var next = file.Position + length;
                    if (tag >> 3 == wanted)
                    {
                        yield return next;
                    }

                    file.Seek(next, SeekOrigin.Begin);
                    break;
            }
        }
    }

    private static long Varint(Stream file)
    {
        var value = 0L;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var one = file.ReadByte();
            if (one < 0)
            {
                throw new EngineGraphException("The graph's file ends in the middle of a field; it is cut off or not an ONNX file.");
            }

            value |= (long)(one & 0x7F) << shift;
            if ((one & 0x80) == 0)
            {
                return value;
            }
        }

        throw new EngineGraphException("The graph's file holds a number of more than 64 bits; it is not an ONNX file.");
    }
}
