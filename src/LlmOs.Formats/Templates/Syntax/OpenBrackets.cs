namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Brackets of a tag that still wait for their partners.</summary>
internal sealed class OpenBrackets
{
    private readonly Stack<char> _partners = new();

    public bool AreNone => _partners.Count == 0;

    /// <summary>Opens or closes a bracket; other signs change nothing.</summary>
    /// <returns>What is wrong with it; null when it fits.</returns>
    public string? Take(string sign)
    {
        switch (sign)
        {
            case "(" or "[" or "{":
                _partners.Push(sign switch { "(" => ')', "[" => ']', _ => '}' });
                return null;
            case ")" or "]" or "}":
                return !_partners.TryPop(out var expected) ? $"unexpected '{sign}'"
                    : expected != sign[0] ? $"unexpected '{sign}', expected '{expected}'"
                    : null;
            default:
                return null;
        }
    }
}
