using LlmOs.Trainer.Corpus;

namespace LlmOs.Trainer.Tests.Corpus;

public sealed class TokenFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-tokens-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(65_536, "tokens.bin", 2, 65_535)]
    [InlineData(65_537, "tokens.u32", 4, 65_536)]
    [InlineData(1 << 20, "tokens.u32", 4, (1 << 20) - 1)]
    public void Ids_come_back_and_the_name_says_how_wide_they_are(int vocabulary, string name, int bytes, int largest)
    {
        using (var writer = TokenFile.Create(_folder, "tokens", vocabulary))
        {
            writer.Append([0, 7]);
            writer.Append([largest, 300]);
        }

        Assert.Equal(4 * bytes, new FileInfo(Path.Combine(_folder, name)).Length);
        using var file = TokenFile.Open(_folder, "tokens");
        var ids = new long[3];
        file.Read(1, ids);
        Assert.Equal(4, file.Count);
        Assert.Equal([7, largest, 300], ids);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(2, ids));
    }

    [Fact]
    public void An_id_that_does_not_fit_is_never_cut_off()
    {
        using var writer = TokenFile.Create(_folder, "tokens", 65_536);

        Assert.Throws<OverflowException>(() => writer.Append([65_536]));
    }

    [Fact]
    public void The_files_of_a_job_that_began_before_there_were_two_widths_are_read()
    {
        File.WriteAllBytes(Path.Combine(_folder, "tokens.bin"), [0x01, 0x00, 0xFF, 0xFF]);

        using var file = TokenFile.Open(_folder, "tokens");
        var ids = new long[2];
        file.Read(0, ids);
        Assert.Equal([1L, 65_535], ids);
    }

    [Fact]
    public void An_empty_file_has_no_ids()
    {
        TokenFile.Create(_folder, "tokens", 100).Dispose();

        using var file = TokenFile.Open(_folder, "tokens");
        Assert.Equal(0, file.Count);
    }
}
