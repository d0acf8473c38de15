using LlmOs.Contracts;

namespace LlmOs.Models.Registry;

/// <summary>What an alias pointed at before. Roll-backs undo moves one by one, as a pile of versions of which the top is taken off.</summary>
internal static class AliasHistory
{
    /// <summary>Moves that are looked at; nobody rolls back further.</summary>
    public const int MaxChanges = 1000;

    /// <param name="changes">The alias's moves, the oldest first.</param>
    /// <returns>The version to roll back to; null when there is none.</returns>
    public static int? Before(IReadOnlyList<AliasChange> changes)
    {
        var pile = new Stack<int>();
        foreach (var change in changes)
        {
            switch (change)
            {
                case { Kind: AliasChangeKind.Set, To: { } to }:
                    if (pile.Count == 0 && change.From is { } from)
                    {
                        pile.Push(from); // the first moves are no longer looked at
                    }

                    pile.Push(to);
                    break;
                case { Kind: AliasChangeKind.RolledBack, To: { } to }:
                    pile.TryPop(out _);
                    if (!pile.TryPeek(out var top) || top != to)
                    {
                        pile.Push(to);
                    }

                    break;
                default:
                    pile.Clear(); // the alias was deleted: its history starts again
                    break;
            }
        }

        return pile.Count > 1 ? pile.ElementAt(1) : null;
    }
}
