using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>What <c>loop</c> is within a loop. It looks one item ahead only when the template asks for it.</summary>
internal sealed class LoopValue(RenderRun run, IEnumerable<TemplateValue> items, int? length, int depth0, Func<RenderRun, CallArguments, TemplateValue>? again)
    : TemplateValue
{
    private readonly Queue<TemplateValue> _ahead = new();
    private readonly IEnumerator<TemplateValue> _rest = items.GetEnumerator();
    private int? _length = length;
    private long _index0 = -1;
    private TemplateValue? _previous;
    private TemplateValue? _current;
    private IReadOnlyList<TemplateValue>? _lastChanged;

    internal override string TypeName => "LoopContext";

    internal override bool IsTrue => true;

    internal override void WriteRepr(TextOutput output) => output.Append($"<LoopContext {_index0 + 1}/{CountAll()}>");

    internal override int? Length => CountAll();

    /// <summary>Goes on to the next item.</summary>
    public bool MoveNext()
    {
        if (!LookAhead())
        {
            return false;
        }

        run.Step();
        _previous = _current;
        _current = _ahead.Dequeue();
        _index0++;
        return true;
    }

    public TemplateValue Current => _current!;

    public TemplateValue? Find(string name) => name switch
    {
        "index" => IntValue.Of(_index0 + 1),
        "index0" => IntValue.Of(_index0),
        "first" => BoolValue.Of(_index0 == 0),
        "last" => BoolValue.Of(!LookAhead()),
        "length" => IntValue.Of(CountAll()),
        "revindex" => IntValue.Of(CountAll() - _index0),
        "revindex0" => IntValue.Of(CountAll() - _index0 - 1),
        "depth" => IntValue.Of(depth0 + 1),
        "depth0" => IntValue.Of(depth0),
        "previtem" => _previous ?? new UndefinedValue("there is no previous item"),
        "nextitem" => LookAhead() ? _ahead.Peek() : new UndefinedValue("there is no next item"),
        "cycle" => new FunctionValue("cycle", (_, arguments) => arguments.Positional.Count == 0
            ? throw TemplateException.Type("no items for cycling given")
            : arguments.Positional[(int)(_index0 % arguments.Positional.Count)]),
        "changed" => new FunctionValue("changed", HasChanged),
        _ => null,
    };

    /// <summary>Goes through other items with the body of a recursive loop.</summary>
    public TemplateValue Call(CallArguments arguments) => again is not null
        ? again(run, arguments)
        : throw TemplateException.Type("The loop must have the 'recursive' marker to be called recursively.");

    private BoolValue HasChanged(RenderRun own, CallArguments arguments)
    {
        var same = _lastChanged is not null && _lastChanged.Count == arguments.Positional.Count
            && !_lastChanged.Where((value, at) => !Comparisons.AreEqual(own, value, arguments.Positional[at])).Any();
        _lastChanged = arguments.Positional;
        return BoolValue.Of(!same);
    }

    private bool LookAhead()
    {
        if (_ahead.Count > 0)
        {
            return true;
        }

        if (!_rest.MoveNext())
        {
            return false;
        }

        _ahead.Enqueue(_rest.Current);
        return true;
    }

    /// <summary>All items, those that were gone through among them.</summary>
    private int CountAll()
    {
        if (_length is { } known)
        {
            return known;
        }

        while (_rest.MoveNext())
        {
            run.MakeItems(1);
            _ahead.Enqueue(_rest.Current);
        }

        _length = (int)_index0 + 1 + _ahead.Count;
        return _length.Value;
    }
}
