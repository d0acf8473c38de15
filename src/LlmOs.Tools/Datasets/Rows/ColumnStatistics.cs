using System.Globalization;
using System.Numerics;
using LlmOs.Contracts;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Gathers what is known of a column, value by value, in bounded memory.</summary>
internal sealed class ColumnStatistics(RowColumn column)
{
    private const int MaxValues = 200;
    private const int MaxShown = 100;

    private readonly DistinctCount _distinct = new();
    private readonly long[] _lengths = new long[34];
    private Dictionary<string, long>? _values = new(StringComparer.Ordinal);
    private long _nulls, _count;
    private long _minLength = long.MaxValue, _maxLength, _sumLength;
    private double _min = double.PositiveInfinity, _max = double.NegativeInfinity, _sum;

    public void Add(object? value)
    {
        if (value is null)
        {
            _nulls++;
            return;
        }

        _count++;
        var text = value switch
        {
            string plain => plain,
            RawJson json => json.Text,
            bool flag => flag ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => "",
        };
        _distinct.Add(text);
        Count(text);
        if (value is string or RawJson)
        {
            var length = Characters(text);
            (_minLength, _maxLength, _sumLength) = (Math.Min(_minLength, length), Math.Max(_maxLength, length), _sumLength + length);
            _lengths[length == 0 ? 0 : 1 + BitOperations.Log2((uint)length)]++;
        }
        else if (value is long or double)
        {
            var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
            (_min, _max, _sum) = (Math.Min(_min, number), Math.Max(_max, number), _sum + number);
        }
    }

    public DatasetColumnStatistics ToView()
    {
        var hasLength = _minLength != long.MaxValue;
        var hasNumbers = double.IsFinite(_min);
        return new DatasetColumnStatistics(
            column.Name,
            column.Type.ToWord(),
            _nulls,
            _distinct.Count,
            _distinct.IsExact,
            hasLength ? _minLength : null,
            hasLength ? _maxLength : null,
            hasLength ? (double)_sumLength / _count : null,
            hasNumbers ? _min : null,
            hasNumbers ? _max : null,
            hasNumbers && double.IsFinite(_sum) ? _sum / _count : null,
            hasLength ? _lengths[..(1 + Array.FindLastIndex(_lengths, n => n > 0))] : null,
            _values is { Count: > 0 } values && values.Count < Math.Max(2, _count)
                ? [.. values.OrderByDescending(v => v.Value).ThenBy(v => v.Key, StringComparer.Ordinal).Take(MaxShown).Select(v => new DatasetValueCount(v.Key, v.Value))]
                : null);
    }

    /// <summary>Code points: a character beyond the first 65,536 takes two of a string's.</summary>
    private static int Characters(string text)
    {
        var characters = text.Length;
        foreach (var c in text)
        {
            characters -= char.IsLowSurrogate(c) ? 1 : 0;
        }

        return characters;
    }

    /// <summary>Values are counted while they are few and short: labels, not texts.</summary>
    private void Count(string text)
    {
        if (_values is not { } values)
        {
            return;
        }

        values[text] = values.GetValueOrDefault(text) + 1;
        if (values.Count > MaxValues || text.Length > MaxShown)
        {
            _values = null;
        }
    }
}
