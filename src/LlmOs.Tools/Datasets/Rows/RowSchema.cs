using LlmOs.Contracts;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>What the values of a column are.</summary>
internal enum ColumnType
{
    Text,
    Integer,
    Number,
    Boolean,

    /// <summary>Lists, objects, and values of several types.</summary>
    Json,
}

/// <summary>A column.</summary>
internal sealed record RowColumn(string Name, ColumnType Type)
{
    public DatasetColumn ToView() => new(Name, Type.ToWord());

    /// <summary>A value as a column of this type holds it.</summary>
    public object? Fit(object? value) => (Type, value) switch
    {
        (_, null) => null,
        (ColumnType.Number, long whole) => (double)whole,
        (ColumnType.Json, not RawJson) => RowJson.Raw(value),
        _ => value,
    };
}

/// <summary>The columns of a version, in their order.</summary>
internal sealed class RowSchema
{
    private readonly Dictionary<string, int> _places;

    public RowSchema(IReadOnlyList<RowColumn> columns)
    {
        Columns = columns;
        _places = columns.Select((column, place) => (column.Name, place)).ToDictionary(c => c.Name, c => c.place, StringComparer.Ordinal);
    }

    public IReadOnlyList<RowColumn> Columns { get; }

    /// <returns>-1 where there is none of that name.</returns>
    public int Find(string name) => _places.GetValueOrDefault(name, -1);

    public static RowSchema Of(IReadOnlyList<DatasetColumn> columns) => new([.. columns.Select(c => new RowColumn(c.Name, Parse(c.Type)))]);

    private static ColumnType Parse(string word) => Enum.GetValues<ColumnType>().First(type => type.ToWord() == word);
}

/// <summary>Finds the columns of rows that come one after the other: every name that was seen, in the order in which they came.</summary>
internal sealed class SchemaBuilder
{
    /// <summary>From here on a fraction of 64 bits does not hold every whole number.</summary>
    private const long MaxExact = 1L << 53;

    private readonly List<Seen> _columns = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public int Count => _columns.Count;

    public void See(string name, object? value)
    {
        if (!_places.TryGetValue(name, out var place))
        {
            _places[name] = place = _columns.Count;
            _columns.Add(new Seen(name));
        }

        if (TypeOf(value) is { } type)
        {
            _columns[place].Types.Add(type);
            _columns[place].HasLarge |= value is long and (> MaxExact or < -MaxExact);
        }
    }

    public RowSchema Build() => new([.. _columns.Select(c => new RowColumn(c.Name, c.Join()))]);

    private static ColumnType? TypeOf(object? value) => value switch
    {
        null => null,
        string => ColumnType.Text,
        long => ColumnType.Integer,
        double => ColumnType.Number,
        bool => ColumnType.Boolean,
        _ => ColumnType.Json,
    };

    /// <summary>What was seen in a column.</summary>
    private sealed class Seen(string name)
    {
        public string Name => name;

        public HashSet<ColumnType> Types { get; } = [];

        /// <summary>Whether a whole number would change as a fraction.</summary>
        public bool HasLarge { get; set; }

        public ColumnType Join() =>
            Types.Count == 0 ? ColumnType.Text
            : Types.Count == 1 ? Types.First()
            : Types.SetEquals([ColumnType.Integer, ColumnType.Number]) && !HasLarge ? ColumnType.Number
            : ColumnType.Json;
    }
}
