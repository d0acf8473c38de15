using System.Text.Json;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>A kind of step. It is a class of its own, and a line in <see cref="PreparationSteps"/>.</summary>
internal interface IPreparationStep
{
    /// <summary>What <c>step</c> says; never changes, since it is stored with versions.</summary>
    string Word { get; }

    /// <summary>It works on whole rows; else on the text of one column.</summary>
    bool TakesWholeRows => false;

    /// <summary>Reads the fields that this step has, and refuses what they may not be.</summary>
    IStepRun Begin(StepFields fields, StepPlace place);
}

/// <summary>A step at work on the rows of one version, which come once, in order. What it does depends on them alone.</summary>
internal interface IStepRun
{
    /// <summary>The columns that rows have after the step; null: those that they had.</summary>
    RowSchema? Schema => null;

    /// <summary>Changes the row's text or split where it should.</summary>
    /// <returns>Why the row is dropped; null keeps it.</returns>
    string? Apply(PreparedRow row);
}

/// <summary>A row on its way through the steps.</summary>
internal sealed class PreparedRow(long number, string split, object?[] values)
{
    private int _column;

    public long Number { get; } = number;

    public string Split { get; set; } = split;

    public object?[] Values { get; set; } = values;

    /// <summary>What an example of a dropped row says, where that is more than the reason.</summary>
    public string? Note { get; set; }

    /// <summary>The text of the column that the step works on; null where the row has none.</summary>
    public string? Text
    {
        get => (string?)Values[_column];
        set => Values[_column] = value;
    }

    /// <summary>Turns to the column of the next step.</summary>
    public void Turn(int column) => _column = column;
}

/// <summary>Where a step may keep what does not fit into memory.</summary>
/// <param name="Folder">Exists; files there go with the job.</param>
internal sealed record StepPlace(string Folder)
{
    /// <summary>The columns of the rows as they come to the step.</summary>
    public RowSchema Schema { get; init; } = new([]);
}

/// <summary>The fields of one step of a request. A step asks for each that it has; one that nobody asked for is refused by name.</summary>
internal sealed class StepFields
{
    private readonly JsonElement _json;
    private readonly string _path;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal) { "step", "column" };

    public StepFields(JsonElement json, string path)
    {
        FieldCheck.That(json.ValueKind == JsonValueKind.Object, path, $"{path}: expected an object such as {{\"step\": \"normalize\"}}.");
        (_json, _path) = (json, path);
        Step = Text("step", null, 64) ?? throw LlmOsException.Invalid($"{path}.step", $"{path}.step: is required.");
        Column = Text("column", "text", RowLimits.MaxName)!;
    }

    public string Step { get; }

    public string Column { get; }

    public string? Text(string name, string? standard, int max = 256) => Read(name) switch
    {
        null => standard,
        { ValueKind: JsonValueKind.String } value when value.GetString() is { Length: > 0 } text && text.Length <= max => text,
        _ => throw Wrong(name, $"expected a text of 1 to {max} characters."),
    };

    /// <param name="words">Those allowed, the default first.</param>
    public string Word(string name, params IReadOnlyList<string> words)
    {
        var word = Text(name, words[0]);
        return words.Contains(word!, StringComparer.Ordinal) ? word! : throw Wrong(name, $"'{Shown.Of(word!)}' is not one of {string.Join(", ", words)}.");
    }

    public double? Number(string name, double min, double max) => Read(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && number >= min && number <= max => number,
        _ => throw Wrong(name, FormattableString.Invariant($"expected a number from {min} to {max}.")),
    };

    public int? Whole(string name, int min, int max) => Read(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= min && number <= max => number,
        _ => throw Wrong(name, FormattableString.Invariant($"expected a whole number from {min} to {max}.")),
    };

    /// <param name="allowed">Null: any.</param>
    public IReadOnlyList<string>? Texts(string name, IReadOnlyCollection<string>? allowed)
    {
        if (Read(name) is not { } list)
        {
            return null;
        }

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > 200 || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            throw Wrong(name, "expected a list of 1 to 200 texts.");
        }

        List<string> texts = [.. list.EnumerateArray().Select(item => item.GetString()!)];
        return texts.Find(text => allowed?.Contains(text) is false) is { } unknown
            ? throw Wrong(name, $"'{Shown.Of(unknown)}' is not one of {string.Join(", ", allowed!)}.")
            : texts;
    }

    /// <summary>For steps that work on whole rows.</summary>
    public void RefuseColumn() => _known.Remove("column");

    /// <summary>Call it once the step has asked for all that it has.</summary>
    public void RefuseUnknown()
    {
        foreach (var property in _json.EnumerateObject())
        {
            if (!_known.Contains(property.Name))
            {
                throw Wrong(property.Name, $"'{Step}' has no such field. It has: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    /// <summary>A refusal of one field.</summary>
    public LlmOsException Wrong(string name, string message)
    {
        var field = $"{_path}.{Shown.Of(name)}";
        return LlmOsException.Invalid(field, $"{field}: {message}");
    }

    private JsonElement? Read(string name)
    {
        _known.Add(name);
        return _json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
