using System.Buffers.Binary;
using System.Text;

namespace LlmOs.Formats.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(TensorType.F32)]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void What_is_written_is_read_back_rounded_to_its_type(TensorType type)
    {
        // 75 elements: vectors of any width and a rest.
        float[] values = [.. Enumerable.Range(0, 75).Select(i => (i - 37) * 0.37f)];
        var path = Write([new TensorInfo("a", type, [3, 25]), new TensorInfo("b", type, [0, 4]), new TensorInfo("c", TensorType.F32, [1])], writer =>
        {
            writer.Write("a", values.AsSpan(0, 50));
            writer.Write("a", values.AsSpan(50));
            writer.Write("c", [2.5f]);
        });

        using var file = SafetensorsFile.Open(path);
        var read = new float[75];
        file.Read("a", 0, read);
        var part = new float[10];
        file.Read("a", 60, part);

        Assert.Equal(["a", "b", "c"], file.Tensors.Select(t => t.Name));
        Assert.Equal(Array.ConvertAll(values, v => Round(type, v)), read);
        Assert.Equal(read[60..70], part);
    }

    [Theory]
    [InlineData(1.0f, 1.0f)]
    [InlineData(1.00390625f, 1.0f)] // halfway between 1 and the next bf16: to even
    [InlineData(1.01171875f, 1.015625f)] // halfway, to even upwards
    [InlineData(3.4028235e38f, float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity, float.NegativeInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Brain_floats_round_to_nearest_even(float value, float expected)
    {
        var path = Write([new TensorInfo("a", TensorType.BF16, [1])], writer => writer.Write("a", [value]));

        using var file = SafetensorsFile.Open(path);
        var read = new float[1];
        file.Read("a", 0, read);

        Assert.Equal(expected, read[0]);
    }

    [Fact]
    public void Names_that_a_file_notes_as_another_tensors_are_found_and_read_as_that_one()
    {
        var path = Path.Combine(_folder, "noted.safetensors");
        using (var stream = File.Create(path))
        {
            var notes = new Dictionary<string, string> { ["format"] = "pt", ["head"] = "body", ["lost"] = "nowhere", ["other"] = "body", ["body"] = "other" };
            var writer = new SafetensorsWriter(stream, [new TensorInfo("body", TensorType.F32, [2]), new TensorInfo("other", TensorType.F32, [1])], notes);
            writer.Write("body", [1, 2]);
            writer.Write("other", [3]);
            writer.Complete();
        }

        using var file = SafetensorsShards.Open([("noted.safetensors", path)]);
        var (head, other) = (new float[2], new float[1]);
        file.Read("head", 0, head);
        file.Read("other", 0, other);

        Assert.Equal(["head"], file.Aliases.Keys); // neither a note of what is stored nor one that leads nowhere
        Assert.Equal(["body", "other"], file.Tensors.Select(t => t.Name));
        Assert.Equal(("head", "[2]"), (file.Find("head")!.Name, file.Find("head")!.ShapeText));
        Assert.Null(file.Find("lost"));
        Assert.Equal([1, 2], head);
        Assert.Equal([3], other);
    }

    [Fact]
    public void A_nan_whose_payload_would_be_cut_off_stays_one()
    {
        var path = Write([new TensorInfo("a", TensorType.BF16, [1])], writer => writer.Write("a", [BitConverter.UInt32BitsToSingle(0x7F800001)]));

        using var file = SafetensorsFile.Open(path);
        var read = new float[1];
        file.Read("a", 0, read);

        Assert.True(float.IsNaN(read[0]));
    }

    [Fact]
    public void The_writer_keeps_order_and_room()
    {
        TensorInfo[] tensors = [new("a", TensorType.F32, [2]), new("b", TensorType.F32, [1])];

        Assert.Throws<InvalidOperationException>(() => Write(tensors, writer => writer.Write("b", [1])));
        Assert.Throws<InvalidOperationException>(() => Write(tensors, writer => writer.Write("a", [1, 2, 3])));
        Assert.Throws<InvalidOperationException>(() => Write(tensors, writer => writer.Write("a", [1, 2])));
        Assert.Throws<ArgumentException>(() => Write([tensors[0], tensors[0]], _ => { }));
        Assert.Throws<ArgumentException>(() => Write([new TensorInfo("a", TensorType.I64, [1])], _ => { }));
    }

    [Fact]
    public void Reading_past_the_end_of_a_tensor_is_refused()
    {
        var path = Write([new TensorInfo("a", TensorType.F32, [2]), new TensorInfo("b", TensorType.F32, [2])], writer =>
        {
            writer.Write("a", [1, 2]);
            writer.Write("b", [3, 4]);
        });

        using var file = SafetensorsFile.Open(path);

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a", 1, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a", -1, new float[1]));
    }

    [Fact]
    public void A_file_that_shrinks_after_it_was_opened_is_an_error_and_no_crash()
    {
        var path = Write([new TensorInfo("a", TensorType.F32, [1000])], writer => writer.Write("a", new float[1000]));
        using var file = SafetensorsFile.Open(path);
        using (var cut = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(200);
        }

        var refusal = Assert.Throws<ModelFormatException>(() => file.Read("a", 0, new float[1000]));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
    }

    [Fact]
    public void Weights_that_are_whole_numbers_are_refused_when_they_are_read()
    {
        using var file = SafetensorsFile.Open(Raw("""{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8));

        var refusal = Assert.Throws<ModelFormatException>(() => file.Read("a", 0, new float[1]));

        Assert.Equal(ModelFormatProblem.UnsupportedFormat, refusal.Problem);
        Assert.Contains("'a'", refusal.Message);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "outside")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "belong to none")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "dimension")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "dimension")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "outside")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "outside")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}""", 8, "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x""", 8, "JSON")]
    [InlineData("""["a"]""", 0, "object")]
    [InlineData("""{"a":[]}""", 0, "dtype")]
    public void A_header_that_contradicts_itself_is_refused(string header, int dataBytes, string word)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(Raw(header, dataBytes)));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
        Assert.Contains(word, refusal.Message);
        Assert.StartsWith("raw.safetensors: ", refusal.Message);
    }

    [Theory]
    [InlineData("F8_E4M3")]
    [InlineData("f32")]
    [InlineData("11")]
    [InlineData("F16, BF16")]
    public void An_unknown_type_is_refused_by_name(string dtype)
    {
        var refusal = Assert.Throws<ModelFormatException>(() =>
            SafetensorsFile.Open(Raw($$$"""{"a":{"dtype":"{{{dtype}}}","shape":[2],"data_offsets":[0,8]}}""", 8)));

        Assert.Equal(ModelFormatProblem.UnsupportedFormat, refusal.Problem);
        Assert.Contains($"'{dtype}'", refusal.Message);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7B })]
    [InlineData(new byte[] { 0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, 0x7B })] // 100,000,001
    [InlineData(new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D })]
    [InlineData(new byte[] { 4, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF, 0xFE, 0x7D })]
    public void A_file_whose_header_cannot_be_is_refused_before_anything_is_taken(byte[] content)
    {
        var path = Path.Combine(_folder, "raw.safetensors");
        File.WriteAllBytes(path, content);

        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        var path = Raw("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8);

        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsShards.Open([("one", path), ("two", path)]));

        Assert.Contains("two: tensor 'a'", refusal.Message);
    }

    private string Write(IReadOnlyList<TensorInfo> tensors, Action<SafetensorsWriter> write)
    {
        var path = Path.Combine(_folder, "written.safetensors");
        using var stream = File.Create(path);
        var writer = new SafetensorsWriter(stream, tensors);
        write(writer);
        writer.Complete();
        return path;
    }

    private string Raw(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var content = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(content, json.Length);
        json.CopyTo(content, 8);
        var path = Path.Combine(_folder, "raw.safetensors");
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Rounding by other means than the writer's.</summary>
    private static float Round(TensorType type, float value) => type switch
    {
        TensorType.F16 => (float)(Half)value,
        TensorType.BF16 => value == 0 ? 0 : (float)(Math.Round(value / Math.Pow(2, Math.ILogB(value) - 7)) * Math.Pow(2, Math.ILogB(value) - 7)),
        _ => value,
    };
}
