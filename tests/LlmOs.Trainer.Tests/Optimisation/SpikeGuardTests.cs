using LlmOs.Trainer.Optimisation;

namespace LlmOs.Trainer.Tests.Optimisation;

public class SpikeGuardTests
{
    [Fact]
    public void A_gradient_of_twenty_times_the_median_is_skipped_and_the_third_in_a_row_rolls_back()
    {
        var guard = Steady();

        Assert.Equal(StepVerdict.Take, guard.Judge(3, 19));
        Assert.Equal(StepVerdict.Skip, guard.Judge(3, 21));
        Assert.Equal(StepVerdict.Skip, guard.Judge(3, 500));
        Assert.Equal(StepVerdict.RollBack, guard.Judge(3, 21));
        Assert.Equal(3, guard.Skipped);
    }

    [Fact]
    public void A_good_gradient_in_between_starts_the_count_again()
    {
        var guard = Steady();

        StepVerdict[] verdicts = [guard.Judge(3, 30), guard.Judge(3, 30), guard.Judge(3, 1), guard.Judge(3, 30)];

        Assert.Equal([StepVerdict.Skip, StepVerdict.Skip, StepVerdict.Take, StepVerdict.Skip], verdicts);
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(3, double.NaN)]
    [InlineData(3, double.PositiveInfinity)]
    public void What_is_no_number_is_never_taken(double loss, double norm) => Assert.Equal(StepVerdict.Skip, new SpikeGuard().Judge(loss, norm));

    [Fact]
    public void Large_gradients_at_the_beginning_are_normal()
    {
        var guard = new SpikeGuard();

        Assert.Equal(StepVerdict.Take, guard.Judge(8, 1));
        Assert.Equal(StepVerdict.Take, guard.Judge(8, 100));
    }

    private static SpikeGuard Steady()
    {
        var guard = new SpikeGuard();
        for (var i = 0; i < 30; i++)
        {
            guard.Judge(3, 1);
        }

        return guard;
    }
}
