using System.Numerics;

namespace LlmOs.Infrastructure;

/// <summary>Rules for a request's fields; what breaks one is refused by the field's name.</summary>
public static class FieldCheck
{
    private const int MaxShown = 40;

    /// <exception cref="LlmOsException">It does not hold.</exception>
    public static void That(bool holds, string field, string message)
    {
        if (!holds)
        {
            throw LlmOsException.Invalid(field, message);
        }
    }

    /// <returns>The value.</returns>
    /// <exception cref="LlmOsException">It lies outside, or is not a number.</exception>
    public static T Within<T>(string field, T value, T min, T max)
        where T : INumber<T>
    {
        // Not a number compares with nothing, so it fails here too.
        That(value >= min && value <= max, field, FormattableString.Invariant($"'{field}' must be between {min} and {max}, not {value}."));
        return value;
    }

    /// <returns>The value; the first of those allowed where there is none.</returns>
    /// <exception cref="LlmOsException">It is none of those allowed.</exception>
    public static string OneOf(string field, string? value, params IReadOnlyList<string> allowed)
    {
        var word = value ?? allowed[0];
        That(allowed.Contains(word, StringComparer.Ordinal), field, $"'{field}' must be {string.Join(" or ", allowed.Select(a => $"'{a}'"))}, not '{Shorten(word)}'.");
        return word;
    }

    private static string Shorten(string word) => word.Length <= MaxShown ? word : word[..MaxShown] + "...";
}
