using System.Globalization;
using System.Text;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>normalize</c>: one Unicode form (<c>form</c>: <c>nfc</c>, the default, or <c>nfkc</c>), line breaks as <c>\n</c>, one blank in
/// the place of several, at most one empty line; control characters and characters without a width go.
/// </summary>
internal sealed class NormalizeStep : IPreparationStep
{
    public string Word => "normalize";

    public IStepRun Begin(StepFields fields, StepPlace place) =>
        new Run(fields.Word("form", "nfc", "nfkc") == "nfkc" ? NormalizationForm.FormKC : NormalizationForm.FormC);

    /// <summary>The text in one form.</summary>
    public static string Normalize(string text, NormalizationForm form)
    {
        var source = text.Normalize(form);
        var result = new StringBuilder(source.Length);
        var (blanks, breaks) = (0, 0);
        for (var at = 0; at < source.Length; at++)
        {
            var c = source[at];
            if (c is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029')
            {
                at += c == '\r' && at + 1 < source.Length && source[at + 1] == '\n' ? 1 : 0;
                (breaks, blanks) = (breaks + 1, 0);
            }
            else if (c == '\t' || char.GetUnicodeCategory(c) == UnicodeCategory.SpaceSeparator)
            {
                blanks++;
            }
            else if (!IsInvisible(c))
            {
                if (result.Length > 0)
                {
                    result.Append('\n', Math.Min(breaks, 2)).Append(' ', breaks == 0 ? Math.Min(blanks, 1) : 0);
                }

                (breaks, blanks) = (0, 0);
                result.Append(c);
            }
        }

        return result.ToString();
    }

    /// <summary>Controls and marks without a width. The joiners of emoji and of Indic and Persian script stay: they change what is read.</summary>
    private static bool IsInvisible(char c) =>
        char.IsControl(c) || c is '\u00AD' or '\u200B' or '\u2060' or '\uFEFF' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    private sealed class Run(NormalizationForm form) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            row.Text = Normalize(row.Text!, form);
            return null;
        }
    }
}
