using LlmOs.Contracts;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Tests.Registry;

/// <summary>Roll-backs undo moves one by one; they are not a switch between two versions.</summary>
public sealed class AliasHistoryTests
{
    [Theory]
    [InlineData("1", null)]
    [InlineData("1 2", 1)]
    [InlineData("1 2 3", 2)]
    [InlineData("1 2 3 r2", 1)]
    [InlineData("1 2 3 r2 r1", null)]
    [InlineData("1 2 r1 3", 1)]
    [InlineData("1 2 1", 2)]
    [InlineData("1 2 d 3", null)]
    [InlineData("1 2 d 3 4", 3)]
    public void A_roll_back_goes_one_step_back(string moves, int? before) => Assert.Equal(before, AliasHistory.Before(Changes(moves)));

    [Fact]
    public void A_history_whose_beginning_is_out_of_sight_still_knows_its_last_step()
    {
        var changes = Changes("1 2 3");

        Assert.Equal(2, AliasHistory.Before([.. changes.Skip(2)]));
    }

    /// <summary><c>2</c> sets, <c>r2</c> rolls back to 2, <c>d</c> takes away.</summary>
    private static List<AliasChange> Changes(string moves)
    {
        int? at = null;
        List<AliasChange> changes = [];
        foreach (var move in moves.Split(' '))
        {
            var (kind, to) = move[0] switch
            {
                'r' => (AliasChangeKind.RolledBack, (int?)int.Parse(move[1..], System.Globalization.CultureInfo.InvariantCulture)),
                'd' => (AliasChangeKind.Deleted, null),
                _ => (AliasChangeKind.Set, int.Parse(move, System.Globalization.CultureInfo.InvariantCulture)),
            };
            changes.Add(new AliasChange { ModelId = 1, Alias = "live", Kind = kind, From = at, To = to, At = default });
            at = to;
        }

        return changes;
    }
}
