using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>Settings with which nothing can be started: each ends the process with 2 and its own name, and never with a trace.</summary>
public class BadStartTests
{
    [Theory]
    [InlineData("LLMOS_DATA", null, "is a file; expected a folder")]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:99999", "a port of 0 to 65535")]
    [InlineData("ASPNETCORE_URLS", "https://127.0.0.1:0", "Name a certificate")]
    [InlineData("LLMOS_CORS", "chat.example.com", "is not an origin")]
    [InlineData("LLMOS_PROXIES", "my-proxy", "neither an address nor a network")]
    [InlineData("LLMOS_BASE_PATH", "llmos", "expected a path such as /llmos")]
    public async Task A_bad_setting_ends_the_start_with_2_and_its_name(string setting, string? value, string reason)
    {
        using var folder = new TempFolder();
        var file = folder.At("file");
        await File.WriteAllTextAsync(file, "x", TestContext.Current.CancellationToken);
        var start = new ServerStart
        {
            Data = setting == "LLMOS_DATA" ? file : folder.At("data"),
            Environment = value is null ? new Dictionary<string, string?>() : new Dictionary<string, string?> { [setting] = value },
        };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(start));

        Assert.Contains("ended with 2 ", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"LlmOs cannot start. {setting}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_nobody_may_write_ends_the_start_with_2()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: /proc takes no files, from root neither");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(new ServerStart { Data = "/proc/llmos" }));

        Assert.Contains("ended with 2 ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("LLMOS_DATA: the folder '/proc/llmos' cannot be written", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_a_folder_names_the_first()
    {
        await using var first = await ServerProcess.StartAsync(new ServerStart());

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(new ServerStart { Data = first.Data }));

        Assert.Contains("ended with 2 ", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"in use by the server with process id {first.ProcessId}.", failure.Message, StringComparison.Ordinal);
    }
}
