using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_kind_of_metadata_is_read()
    {
        using var file = Open(new GgufBytes()
            .Pair("u8", 0, w => w.Write((byte)255)).Pair("i8", 1, w => w.Write((sbyte)-1)).Pair("u16", 2, w => w.Write((ushort)65535))
            .Pair("i16", 3, w => w.Write((short)-2)).Pair("u32", 4, w => w.Write(uint.MaxValue)).Pair("i32", 5, w => w.Write(int.MinValue))
            .Pair("f32", 1.5f).Pair("flag", true).Pair("text", "süß\n").Pair("u64", 10, w => w.Write(ulong.MaxValue))
            .Pair("i64", 11, w => w.Write(long.MinValue)).Pair("f64", 12, w => w.Write(0.1)).List("texts", "a", "", "c").List("wholes", 3, -4)
            .List("reals", 0.5f, -1f)
            .Pair("lists", 9, w =>
            {
                w.Write(9u);
                w.Write(1ul);
                w.Write(0u);
                w.Write(2ul);
                w.Write((byte)7);
                w.Write((byte)8);
            }));

        var metadata = file.Metadata;
        Assert.Equal<Int128>([255, -1, 65535, -2, uint.MaxValue, int.MinValue, ulong.MaxValue, long.MinValue],
            new[] { "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64" }.Select(key => ((GgufWhole)metadata.Values[key]).Value));
        Assert.Equal((1.5, 0.1, 255.0), (metadata.Number("f32"), metadata.Number("f64"), metadata.Number("u8")));
        Assert.Equal((true, "süß\n", 255), (metadata.Flag("flag"), metadata.Text("text"), metadata.Whole("u8", 0, 255)));
        Assert.Equal(["a", "", "c"], metadata.Texts("texts")!);
        Assert.Equal([3, -4], metadata.Wholes("wholes")!);
        Assert.Equal([0.5, -1], metadata.Numbers("reals")!);
        Assert.Equal([7, 8], ((GgufWholes)Assert.Single(((GgufLists)metadata.Values["lists"]).Items)).Items);
        Assert.Null(metadata.Text("absent"));
    }

    [Fact]
    public void A_value_of_the_wrong_kind_is_refused_by_its_key()
    {
        using var file = Open(new GgufBytes().Pair("text", "no number").Pair("wide", 10, w => w.Write(ulong.MaxValue)));

        Assert.Contains("'text' must be a whole number", Assert.Throws<ModelFormatException>(() => file.Metadata.Whole("text", 0, 9)).Message, StringComparison.Ordinal);
        Assert.Contains("from 0 to 9, not 18446744073709551615", Assert.Throws<ModelFormatException>(() => file.Metadata.Whole("wide", 0, 9)).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => file.Metadata.Texts("text"));
    }

    [Fact]
    public void A_file_of_another_writer_lists_the_recorded_tensors()
    {
        using var file = GgufFile.Open(SharedFolder.Require("vectors", "compression", "gguf", "all-types.gguf"));
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "compression", "gguf", "gguf.json")));

        var expected = recorded.RootElement.GetProperty("file").GetProperty("tensors").EnumerateArray().Select(t => (
            t.GetProperty("name").GetString()!,
            Enum.Parse<GgmlType>(t.GetProperty("type").GetString()!),
            string.Join(',', t.GetProperty("shape_in_file").EnumerateArray().Reverse()),
            t.GetProperty("offset").GetInt64(),
            t.GetProperty("bytes").GetInt64()));
        Assert.Equal(expected, file.Tensors.Select(t => (t.Name, t.Type, string.Join(',', t.Shape), t.Offset, t.Bytes)));
        Assert.NotEmpty(file.Metadata.Values);
    }

    [Fact]
    public void A_run_may_begin_and_end_inside_blocks()
    {
        using var file = GgufFile.Open(SharedFolder.Require("vectors", "compression", "gguf", "all-types.gguf"));

        foreach (var tensor in file.Tensors)
        {
            var whole = new float[tensor.Elements];
            file.Read(tensor.Name, 0, whole);
            foreach (var (offset, count) in new[] { (0, 1), (31, 2), (255, 258), (300, 700), (1023, 1), (17, 0) })
            {
                var part = new float[count];
                file.Read(tensor.Name, offset, part);
                Assert.Equal(whole[offset..(offset + count)], part);
            }
        }
    }

    [Fact]
    public void Real_vocabularies_are_read()
    {
        using var file = GgufFile.Open(SharedFolder.Require("models", "gguf-vocabs", "ggml-vocab-gpt-2.gguf"));

        Assert.Equal("gpt2", file.Metadata.Text("tokenizer.ggml.model"));
        Assert.Equal(50257, file.Metadata.Texts("tokenizer.ggml.tokens")!.Count);
        Assert.Equal(50000, file.Metadata.Texts("tokenizer.ggml.merges")!.Count);
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void Parts_of_a_split_file_are_read_as_one()
    {
        using var file = GgufFile.Open(Parts(3));

        Assert.Equal(["t0", "t1", "t2"], file.Tensors.Select(t => t.Name));
        var value = new float[1];
        file.Read("t2", 1, value);
        Assert.Equal(2.5f, value[0]);
        Assert.Equal("llama", file.Metadata.Text("general.architecture"));
    }

    [Fact]
    public void A_split_file_with_parts_missing_or_out_of_place_is_refused()
    {
        var parts = Parts(3);

        Assert.Equal(ModelFormatProblem.MissingFile, Assert.Throws<ModelFormatException>(() => GgufFile.Open(parts[..2])).Problem);
        Assert.Equal(ModelFormatProblem.MissingFile, Assert.Throws<ModelFormatException>(() => GgufFile.Open(parts[0].Path)).Problem);
        Assert.Equal(ModelFormatProblem.CorruptFile, Assert.Throws<ModelFormatException>(() => GgufFile.Open([parts[1], parts[0], parts[2]])).Problem);
        Assert.Equal(ModelFormatProblem.CorruptFile, Assert.Throws<ModelFormatException>(() => GgufFile.Open([parts[0], parts[0], parts[0]])).Problem);
    }

    public static TheoryData<string> Wrong => [.. WrongFiles.Keys];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_file_that_contradicts_itself_is_refused(string fault)
    {
        var (bytes, problem, message) = WrongFiles[fault];
        var path = Path.Combine(_folder.Path, "wrong.gguf");
        File.WriteAllBytes(path, bytes());

        var refusal = Assert.Throws<ModelFormatException>(() => GgufFile.Open(path));

        Assert.Equal(problem, refusal.Problem);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.StartsWith("wrong.gguf: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_at_any_place_is_refused()
    {
        var whole = Good().ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            var path = Path.Combine(_folder.Path, "cut.gguf");
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<ModelFormatException>(() => GgufFile.Open(path));
        }
    }

    [Fact]
    public void A_type_that_is_not_read_is_refused_when_its_tensor_is_wanted()
    {
        using var file = Open(new GgufBytes().Tensor("t", [256], 16, new byte[66]));

        var refusal = Assert.Throws<ModelFormatException>(() => file.Read("t", 0, new float[1]));

        Assert.Equal(ModelFormatProblem.UnsupportedFormat, refusal.Problem);
        Assert.Contains("'t' is stored as IQ2_XXS", refusal.Message, StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, (Func<byte[]> Bytes, ModelFormatProblem Problem, string Message)> WrongFiles = new()
    {
        ["not a GGUF file"] = (() => "PK\u0003\u0004 a zip archive, perhaps"u8.ToArray(), ModelFormatProblem.UnsupportedFormat, "does not begin with 'GGUF'"),
        ["version 1"] = (() => new GgufBytes { Version = 1 }.ToArray(), ModelFormatProblem.UnsupportedFormat, "version 1"),
        ["big-endian"] = (() => new GgufBytes { Version = 0x0300_0000 }.ToArray(), ModelFormatProblem.UnsupportedFormat, "big-endian"),
        ["more tensors than bytes"] = (() => new GgufBytes { TensorCount = ulong.MaxValue }.ToArray(), ModelFormatProblem.CorruptFile, "tensors, more than"),
        ["more pairs than bytes"] = (() => new GgufBytes { PairCount = 1 << 20 }.ToArray(), ModelFormatProblem.CorruptFile, "metadata pairs, more than"),
        ["a key longer than the file"] = (() => new GgufBytes { PairCount = 1 }.Pair("", 8, w => w.Write(ulong.MaxValue)).ToArray(), ModelFormatProblem.CorruptFile, "more than the file has left"),
        ["a list longer than the file"] = (() => new GgufBytes().Pair("k", 9, w => { w.Write(8u); w.Write(1ul << 40); }).ToArray(), ModelFormatProblem.CorruptFile, "more than the file has room for"),
        ["a list with too many items"] = (() => new GgufBytes().Pair("k", 9, w => { w.Write(0u); w.Write(9ul << 20); w.Write(new byte[9 << 20]); }).ToArray(), ModelFormatProblem.TooLarge, "hold more than"),
        ["lists nested without end"] = (() => new GgufBytes().Pair("k", 9, w => { for (var i = 0; i < 50; i++) { w.Write(9u); w.Write(1ul); } }).ToArray(), ModelFormatProblem.CorruptFile, "nests lists deeper"),
        ["a key twice"] = (() => new GgufBytes().Pair("k", 1u).Pair("k", 2u).ToArray(), ModelFormatProblem.CorruptFile, "'k' is there twice"),
        ["an unknown kind of value"] = (() => new GgufBytes().Pair("k", 13, w => w.Write(0)).ToArray(), ModelFormatProblem.CorruptFile, "unknown type 13"),
        ["a flag of two"] = (() => new GgufBytes().Pair("k", 7, w => w.Write((byte)2)).ToArray(), ModelFormatProblem.CorruptFile, "holds 2"),
        ["text that is not UTF-8"] = (() => new GgufBytes().Pair("k", 8, w => { w.Write(2ul); w.Write([0xC0, 0x80]); }).ToArray(), ModelFormatProblem.CorruptFile, "not UTF-8"),
        ["an alignment of zero"] = (() => new GgufBytes().Pair("general.alignment", 0u).ToArray(), ModelFormatProblem.CorruptFile, "'general.alignment'"),
        ["an alignment of 48"] = (() => new GgufBytes().Pair("general.alignment", 48u).ToArray(), ModelFormatProblem.CorruptFile, "power of two"),
        ["a tensor twice"] = (() => Good().Tensor("t", [1], [1f]).ToArray(), ModelFormatProblem.CorruptFile, "'t' is there twice"),
        ["a tensor over another"] = (() => Good().Tensor("u", [2], 0, new byte[8], offset: 0).ToArray(), ModelFormatProblem.CorruptFile, "overlaps"),
        ["a tensor off the grid"] = (() => new GgufBytes().Tensor("t", [1], 0, new byte[64], offset: 4).ToArray(), ModelFormatProblem.CorruptFile, "no multiple of the alignment"),
        ["a tensor behind the end"] = (() => new GgufBytes().Tensor("t", [1], 0, new byte[4], offset: 1 << 20).ToArray(), ModelFormatProblem.CorruptFile, "ends after the file does"),
        ["an offset that overflows"] = (() => new GgufBytes().Tensor("t", [1], 0, new byte[4], offset: ulong.MaxValue - 31).ToArray(), ModelFormatProblem.CorruptFile, "no multiple of the alignment"),
        ["a shape that overflows"] = (() => new GgufBytes().Tensor("t", [1L << 40, 1L << 40], 0, new byte[4]).ToArray(), ModelFormatProblem.CorruptFile, "more elements than a file can hold"),
        ["a negative dimension"] = (() => new GgufBytes().Tensor("t", [-1], 0, new byte[4]).ToArray(), ModelFormatProblem.CorruptFile, "more elements than a file can hold"),
        ["a shape larger than the file"] = (() => new GgufBytes().Tensor("t", [1L << 40], 0, new byte[4]).ToArray(), ModelFormatProblem.CorruptFile, "more bytes than the file has"),
        ["rows that blocks do not fill"] = (() => new GgufBytes().Tensor("t", [2, 16], 2, new byte[18]).ToArray(), ModelFormatProblem.CorruptFile, "do not fill"),
        ["a type that was taken away"] = (() => new GgufBytes().Tensor("t", [32], 4, new byte[20]).ToArray(), ModelFormatProblem.UnsupportedFormat, "unknown type 4"),
        ["too many dimensions"] = (() => new GgufBytes().Tensor("t", new long[9], 0, new byte[4]).ToArray(), ModelFormatProblem.CorruptFile, "9 dimensions"),
    };

    private static GgufBytes Good() => new GgufBytes().Pair("general.architecture", "llama").List("list", "a", "b").Tensor("t", [2, 2], [1f, 2f, 3f, 4f]);

    private GgufFile Open(GgufBytes bytes) => GgufFile.Open(bytes.WriteTo(Path.Combine(_folder.Path, "test.gguf")));

    private List<(string Name, string Path)> Parts(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            var name = $"m-{i + 1:D5}-of-{count:D5}.gguf";
            var bytes = new GgufBytes().Pair("split.no", 2, w => w.Write((ushort)i)).Pair("split.count", 2, w => w.Write((ushort)count)).Pair("split.tensors.count", (uint)count);
            if (i == 0)
            {
                bytes.Pair("general.architecture", "llama");
            }

            return (name, bytes.Tensor($"t{i}", [2], [i, i + 0.5f]).WriteTo(Path.Combine(_folder.Path, name)));
        }),
    ];
}
