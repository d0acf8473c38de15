using System.Numerics;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Functions by the names of their parameters: <c>old new count?</c>, where <c>?</c> may be left out, and <c>*</c> takes all further ones.</summary>
internal static class Signature
{
    public static FunctionValue Define(string name, string parameters, Func<RenderRun, Given, TemplateValue> body)
    {
        string[] names = [.. parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        var takesAll = names is [.., "*"];
        names = takesAll ? names[..^1] : names;
        var required = names.Count(n => !n.EndsWith('?'));
        names = [.. names.Select(n => n.TrimEnd('?'))];
        return new FunctionValue(name, (run, arguments) => body(run, Bind(arguments)));

        Given Bind(CallArguments arguments)
        {
            var values = new TemplateValue?[names.Length];
            for (var at = 0; at < Math.Min(names.Length, arguments.Positional.Count); at++)
            {
                values[at] = arguments.Positional[at];
            }

            if (arguments.Positional.Count > names.Length && !takesAll)
            {
                throw TemplateException.Type($"{name}() takes at most {names.Length} argument(s), {arguments.Positional.Count} were given");
            }

            var others = new List<KeyValuePair<string, TemplateValue>>();
            foreach (var argument in arguments.Named)
            {
                var at = Array.IndexOf(names, argument.Key);
                if (at < 0 && !takesAll)
                {
                    throw TemplateException.Type($"{name}() got an unexpected keyword argument '{argument.Key}'");
                }

                if (at < 0)
                {
                    others.Add(argument);
                }
                else
                {
                    values[at] = values[at] is null ? argument.Value : throw TemplateException.Type($"{name}() got multiple values for argument '{argument.Key}'");
                }
            }

            var missing = Array.FindIndex(values, 0, required, v => v is null);
            return missing < 0
                ? new Given(name, names, values, [.. arguments.Positional.Skip(names.Length)], others)
                : throw TemplateException.Type($"{name}() missing a required argument: '{names[missing]}'");
        }
    }
}

/// <summary>Arguments at their parameters.</summary>
internal sealed class Given(
    string function, string[] names, TemplateValue?[] values, IReadOnlyList<TemplateValue> rest, IReadOnlyList<KeyValuePair<string, TemplateValue>> named)
{
    /// <summary>A required argument.</summary>
    public TemplateValue this[int at] => values[at]!;

    /// <summary>Positional arguments behind the last parameter.</summary>
    public IReadOnlyList<TemplateValue> Rest => rest;

    /// <summary>Named arguments that are no parameter.</summary>
    public IReadOnlyList<KeyValuePair<string, TemplateValue>> Named => named;

    /// <summary>An argument that may be left out.</summary>
    public TemplateValue? Maybe(int at) => values[at];

    public TextValue Text(int at) => values[at] switch
    {
        TextValue text => text,
        UndefinedValue undefined => throw undefined.Fault(),
        var other => throw TemplateException.Type($"{function}() argument '{names[at]}' must be str, not {other?.TypeName ?? "NoneType"}"),
    };

    /// <summary>Null where it is left out or None.</summary>
    public TextValue? MaybeText(int at) => values[at] is null or NoneValue ? null : Text(at);

    public bool Flag(int at, bool otherwise) => values[at]?.IsTrue ?? otherwise;

    /// <summary>A whole number, kept within what 32 bits hold.</summary>
    public int Whole(int at, int otherwise) => values[at] switch
    {
        null or NoneValue => otherwise,
        UndefinedValue undefined => throw undefined.Fault(),
        var value => PythonOperators.Whole(value) is { } whole
            ? (int)BigInteger.Max(BigInteger.Min(whole, int.MaxValue), int.MinValue)
            : throw TemplateException.Type($"'{value.TypeName}' object cannot be interpreted as an integer"),
    };
}
