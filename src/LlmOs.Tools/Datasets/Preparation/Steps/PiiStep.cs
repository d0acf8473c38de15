namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>pii</c>: finds addresses of mail, telephone numbers, IP addresses, IBANs, payment cards, US social security numbers and
/// secrets of programs. <c>action</c>: <c>mask</c> puts <c>[EMAIL]</c> in their place, <c>pseudonym</c> <c>[EMAIL_1]</c>, the same
/// number for the same value, <c>drop</c> drops the row. <c>kinds</c> names some of them; default: all.
/// </summary>
internal sealed class PiiStep : IPreparationStep
{
    public string Word => "pii";

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        var action = fields.Word("action", "mask", "pseudonym", "drop");
        return new Run(action, fields.Texts("kinds", [.. PiiFinder.Kinds]) ?? PiiFinder.Kinds);
    }

    private sealed class Run(string action, IReadOnlyList<string> kinds) : IStepRun
    {
        private readonly Dictionary<(string Kind, string Value), int> _numbers = [];
        private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

        public string? Apply(PreparedRow row)
        {
            var found = PiiFinder.Find(row.Text!, kinds);
            if (found.Count == 0)
            {
                return null;
            }

            if (action == "drop")
            {
                return found[0].Kind;
            }

            var text = row.Text!;
            for (var at = found.Count - 1; at >= 0; at--)
            {
                var (kind, start, length) = found[at];
                text = string.Concat(text.AsSpan(0, start), Name(kind, row.Text!.Substring(start, length)), text.AsSpan(start + length));
            }

            row.Text = text;
            return null;
        }

        private string Name(string kind, string value)
        {
            if (action == "mask")
            {
                return $"[{kind.ToUpperInvariant()}]";
            }

            if (!_numbers.TryGetValue((kind, value), out var number))
            {
                _numbers[(kind, value)] = number = _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
            }

            return $"[{kind.ToUpperInvariant()}_{number}]";
        }
    }
}
