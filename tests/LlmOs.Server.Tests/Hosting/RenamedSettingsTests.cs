using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

public class RenamedSettingsTests
{
    [Fact]
    public async Task Settings_under_their_old_names_end_the_start_with_2_and_the_new_names()
    {
        var start = new ServerStart
        {
            Environment = new Dictionary<string, string?> { ["Pull__Tries"] = "3", ["Pull__MostPauseSeconds"] = "60", ["Jobs__MostSetbacks"] = "5" },
        };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(start));

        Assert.Contains("ended with 2 ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Pull:Tries has another name now; set Pull:MaxAttempts instead.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Pull:MostPauseSeconds has another name now; set Pull:MaxPauseSeconds instead.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Jobs:MostSetbacks has another name now; set Jobs:MaxAttempts instead.", failure.Message, StringComparison.Ordinal);
    }
}
