using LlmOs.Tools.Training.Child;

namespace LlmOs.Tools.Tests.Training;

public class TrainingRestartsTests
{
    [Fact]
    public void Restarts_without_a_new_checkpoint_end_after_three()
    {
        var restarts = new TrainingRestarts();

        Assert.Equal([true, true, true, false], new long[] { 0, 0, 0, 0 }.Select(restarts.MayStartAgain));

        restarts = new TrainingRestarts();
        Assert.All(Enumerable.Range(1, 20), step => Assert.True(restarts.MayStartAgain(step)));
        Assert.Equal([true, true, false], new long[] { 20, 20, 20 }.Select(restarts.MayStartAgain));
    }
}
