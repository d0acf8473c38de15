using System.Text.RegularExpressions;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>Personal data and secrets that have a form of their own. Numbers with a check digit are taken only where it is right.</summary>
internal static partial class PiiFinder
{
    /// <summary>In the order in which they are looked for: what an earlier kind took, a later one does not.</summary>
    private static readonly (string Kind, Func<Regex> Form, Func<string, Match, bool> IsOne)[] Forms =
    [
        ("secret", Secret, (_, _) => true),
        ("email", Email, (_, _) => true),
        ("iban", Iban, (_, match) => IsIban(match.Value)),
        ("card", Card, (_, match) => IsCard(match.Value)),
        ("ssn", Ssn, (_, _) => true),
        ("ip", Ip, (_, _) => true),
        ("phone", Phone, (text, match) => IsPhone(match.Value) && !IsSum(text, match)),
    ];

    public static IReadOnlyList<string> Kinds { get; } = [.. Forms.Select(f => f.Kind)];

    /// <summary>What was found, in the order of the text; no two overlap.</summary>
    public static IReadOnlyList<(string Kind, int Start, int Length)> Find(string text, IReadOnlyCollection<string> kinds)
    {
        List<(string Kind, int Start, int Length)> found = [];
        foreach (var (kind, form, isOne) in Forms.Where(f => kinds.Contains(f.Kind)))
        {
            foreach (Match match in form().Matches(text))
            {
                if (isOne(text, match) && found.TrueForAll(f => match.Index >= f.Start + f.Length || f.Start >= match.Index + match.Length))
                {
                    found.Add((kind, match.Index, match.Length));
                }
            }
        }

        found.Sort((a, b) => a.Start.CompareTo(b.Start));
        return found;
    }

    /// <summary>ISO 13616: the number, its first four characters behind, is 1 modulo 97.</summary>
    public static bool IsIban(string text)
    {
        var plain = text.Replace(" ", "", StringComparison.Ordinal);
        if (plain.Length is < 15 or > 34)
        {
            return false;
        }

        var rest = 0;
        foreach (var c in plain[4..] + plain[..4])
        {
            rest = char.IsAsciiDigit(c) ? ((rest * 10) + (c - '0')) % 97 : ((rest * 100) + (c - 'A' + 10)) % 97;
        }

        return rest == 1;
    }

    /// <summary>ISO/IEC 7812: Luhn's check digit.</summary>
    public static bool IsCard(string text)
    {
        var (sum, doubled, count) = (0, false, 0);
        for (var at = text.Length - 1; at >= 0; at--)
        {
            if (char.IsAsciiDigit(text[at]))
            {
                var digit = (text[at] - '0') * (doubled ? 2 : 1);
                sum += digit > 9 ? digit - 9 : digit;
                (doubled, count) = (!doubled, count + 1);
            }
        }

        return count is >= 12 and <= 19 && sum % 10 == 0 && sum > 0;
    }

    /// <summary>Eight to fifteen digits, the most that E.164 allows, or seven with a sign or as 555 0123; no date, and no number in one piece.</summary>
    private static bool IsPhone(string text)
    {
        var (digits, hasSign) = (text.Count(char.IsAsciiDigit), text[0] is '+' or '(');
        return (hasSign || text.AsSpan().ContainsAny("-. )"))
            && !Date().IsMatch(text)
            && !Fraction().IsMatch(text)
            && !Pairs().IsMatch(text)
            && ((digits >= (hasSign ? 7 : 8) && digits <= 15) || ShortPhone().IsMatch(text));
    }

    /// <summary>Whether a number stands within a sum or an equation.</summary>
    private static bool IsSum(string text, Match match)
    {
        const string Before = "=*/×÷<$€£", After = "=*/×÷>+";
        var before = text.AsSpan(0, match.Index).TrimEnd();
        var after = text.AsSpan(match.Index + match.Length).TrimStart();
        return (before.Length > 0 && Before.Contains(before[^1], StringComparison.Ordinal)) || (after.Length > 0 && After.Contains(after[0], StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    [GeneratedRegex(@"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", RegexOptions.CultureInvariant)]
    private static partial Regex Iban();

    [GeneratedRegex(@"(?<![\d+-])[0-9](?:[ -]?[0-9]){11,18}(?![\d-])", RegexOptions.CultureInvariant)]
    private static partial Regex Card();

    [GeneratedRegex(@"(?<![\d-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\d-])", RegexOptions.CultureInvariant)]
    private static partial Regex Ssn();

    [GeneratedRegex(@"(?<![\d.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![\d.])|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])", RegexOptions.CultureInvariant)]
    private static partial Regex Ip();

    [GeneratedRegex(@"(?<![\w+])(?:\+?[0-9]{1,3}[ .-]?)?(?:\([0-9]{1,5}\)[ .-]?)?[0-9]{2,5}(?:[ .-]?[0-9]{2,5}){1,4}(?:[ ]?x[0-9]{1,6})?(?!\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Phone();

    [GeneratedRegex(@"\A(?:[0-9]{4}[.-][0-9]{1,2}[.-][0-9]{1,2}|[0-9]{1,2}[.-][0-9]{1,2}[.-][0-9]{4})(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Date();

    /// <summary>A number with a point, such as 52.5200066.</summary>
    [GeneratedRegex(@"\A[0-9]+\.[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Fraction();

    /// <summary>Small numbers beside each other, such as 10 20 30 40; telephones in pairs begin with 0.</summary>
    [GeneratedRegex(@"\A[1-9][0-9](?: [0-9]{2})+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pairs();

    [GeneratedRegex(@"\A[0-9]{3}[ .-][0-9]{4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ShortPhone();

    /// <summary>Keys whose makers gave them a form: AWS, GitHub, OpenAI and alike, Slack, Google, JSON web tokens, private keys in PEM.</summary>
    [GeneratedRegex(@"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bsk-[A-Za-z0-9_-]{20,200}|\bxox[abprs]-[A-Za-z0-9-]{10,200}|\bAIza[0-9A-Za-z_-]{35}|\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,10000}-----END [A-Z ]{0,30}PRIVATE KEY-----", RegexOptions.CultureInvariant)]
    private static partial Regex Secret();
}
