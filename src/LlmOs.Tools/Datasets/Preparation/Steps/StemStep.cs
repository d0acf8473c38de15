using System.Text;
using LlmOs.Tools.Evaluation.Metrics;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary><c>stem</c>: English words, in small letters, lose their endings by Porter's rules (1980). There is no stemmer of another language yet.</summary>
internal sealed class StemStep : IPreparationStep, IStepRun
{
    public string Word => "stem";

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        fields.Word("language", "en");
        return this;
    }

    public string? Apply(PreparedRow row)
    {
        var text = row.Text!;
        var stemmed = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var begin = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
            {
                at++;
            }

            // A word with letters of other alphabets, or with digits, is left alone.
            if (at > begin && (at == text.Length || !char.IsLetterOrDigit(text[at])) && (begin == 0 || !char.IsLetterOrDigit(text[begin - 1])))
            {
                stemmed.Append(PorterStemmer.Stem(text[begin..at].ToLowerInvariant()));
            }
            else
            {
                stemmed.Append(text, begin, at - begin);
            }

            if (at < text.Length)
            {
                stemmed.Append(text[at++]);
            }
        }

        row.Text = stemmed.ToString();
        return null;
    }
}
