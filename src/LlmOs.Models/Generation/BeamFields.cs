using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>The fields of a beam search, checked.</summary>
internal static class BeamFields
{
    /// <summary>Beams beyond it are refused at once; the engine's own slots may be fewer.</summary>
    public const int MaxBeams = 256;

    /// <summary>The search that the fields ask for; null for none.</summary>
    /// <param name="prefix">What stands before the fields' names in refusals.</param>
    /// <param name="choices">Texts that are wanted; a search gives as many as it has beams.</param>
    public static BeamSettings? Read(string prefix, int? beams, double? lengthPenalty, JsonElement? earlyStopping, int choices)
    {
        var count = (int)(GenerationRules.CheckWhole(prefix + "num_beams", beams, 1, MaxBeams, $"1 to {MaxBeams}") ?? 1);
        var penalty = GenerationRules.CheckNumber(prefix + "length_penalty", lengthPenalty, -100, 100);
        var early = EarlyStoppingOf(prefix + "early_stopping", earlyStopping);
        if (count == 1)
        {
            return null;
        }

        return choices <= count
            ? new BeamSettings(count, penalty ?? 1, early ?? EarlyStopping.Heuristic)
            : throw LlmOsException.Invalid(prefix + "num_beams", $"'{prefix}num_beams' is {count}, but {choices} texts are asked for; a search gives one for each beam.");
    }

    /// <summary>true, false or <c>"never"</c>; null where nothing is stated.</summary>
    public static EarlyStopping? EarlyStoppingOf(string field, JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
        { ValueKind: JsonValueKind.True } => EarlyStopping.Always,
        { ValueKind: JsonValueKind.False } => EarlyStopping.Heuristic,
        { ValueKind: JsonValueKind.String } word when word.ValueEquals("never") => EarlyStopping.Never,
        _ => throw LlmOsException.Invalid(field, $"'{field}' must be true, false or \"never\"."),
    };
}
