using System.Globalization;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary><c>length</c>: drops texts with fewer than <c>min</c> (default 1) or more than <c>max</c> of what <c>unit</c> says: <c>characters</c> as people count them, or <c>words</c>.</summary>
internal sealed class LengthStep : IPreparationStep
{
    public string Word => "length";

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        var (min, max) = (fields.Whole("min", 0, int.MaxValue) ?? 1, fields.Whole("max", 0, int.MaxValue) ?? int.MaxValue);
        return min <= max ? new Run(min, max, fields.Word("unit", "characters", "words") == "words") : throw fields.Wrong("max", "is less than 'min'.");
    }

    private sealed class Run(int min, int max, bool words) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            var length = words ? TextWords.Count(row.Text!) : new StringInfo(row.Text!).LengthInTextElements;
            return length < min ? "too_short" : length > max ? "too_long" : null;
        }
    }
}
