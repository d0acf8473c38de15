using System.Diagnostics.CodeAnalysis;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Http;

/// <summary>
/// An enum in a query, by the word it has in JSON (<c>?state=running</c>). The framework itself reads the name that C# gives it
/// (<c>Running</c>), which no client knows, so a bare enum as a parameter is refused when its endpoint is mapped.
/// </summary>
[SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "The framework binds a parameter by these two.")]
public readonly record struct QueryWord<T> : IQueryWord, IParsable<QueryWord<T>>
    where T : struct, Enum
{
    private readonly T? _value;

    private QueryWord(T? value, string text) => (_value, Text) = (value, text);

    /// <summary>As the caller wrote it.</summary>
    public string Text { get; }

    public bool IsKnown => _value is not null;

    public IEnumerable<string> Words => Enum.GetValues<T>().Select(value => value.ToWord());

    /// <summary>What the word stands for; a handler sees known words only.</summary>
    public T Value => _value ?? throw new InvalidOperationException($"'{Text}' is no {typeof(T).Name}; requests that hold it are refused before.");

    public static QueryWord<T> Parse(string s, IFormatProvider? provider) => new(Find(s), s);

    /// <summary>Takes any text. <see cref="RequestValidation"/> refuses an unknown word, and names the parameter and all words.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out QueryWord<T> result)
    {
        result = Parse(s ?? "", provider);
        return true;
    }

    private static T? Find(string word)
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (value.ToWord() == word)
            {
                return value;
            }
        }

        return null;
    }
}

/// <summary>A word of a query, for who checks it.</summary>
internal interface IQueryWord
{
    string Text { get; }

    bool IsKnown { get; }

    IEnumerable<string> Words { get; }
}
