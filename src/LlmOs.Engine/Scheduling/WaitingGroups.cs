namespace LlmOs.Engine.Scheduling;

/// <summary>The flows of all callers, and the groups of each that have no slots. For the loop's thread.</summary>
/// <param name="slots">Slots of the cache: groups of more flows than that need not be looked at in one step.</param>
internal sealed class WaitingGroups(int slots)
{
    /// <summary>Groups of one flow that are looked at in a step: where the first ones do not fit, a later one may.</summary>
    private const int LookAhead = 4;

    private readonly Dictionary<EngineCaller, Flow> _flows = [];
    private readonly List<Flow> _order = [];
    private readonly Dictionary<EngineCaller, int> _indices = [];
    private readonly List<SequenceGroup> _listed = [];
    private FlowView[] _flowViews = [];
    private WaitingView[] _views = [];

    /// <summary>Groups that may have slots, without those that wait for their reader.</summary>
    public int Count { get; private set; }

    /// <summary>Groups that have given their slots up and wait for their reader, the one that has waited longest first.</summary>
    public LinkedList<SequenceGroup> Stalled { get; } = new();

    /// <summary>What was listed last.</summary>
    public ReadOnlySpan<WaitingView> Views => _views.AsSpan(0, _listed.Count);

    /// <summary>Every flow, as it was when it was listed last.</summary>
    public ReadOnlySpan<FlowView> Flows => _flowViews.AsSpan(0, _order.Count);

    public Flow Of(EngineCaller caller) => _flows[caller];

    /// <summary>A flow's place in <see cref="Flows"/>.</summary>
    public int IndexOf(EngineCaller caller) => _indices[caller];

    /// <summary>The group at a place of <see cref="Views"/>.</summary>
    public SequenceGroup At(int index) => _listed[index];

    public void Add(SequenceGroup group, long step, double promptPass, long admitted)
    {
        if (!_flows.TryGetValue(group.Caller, out var flow))
        {
            // It comes after those that wait already, and before them at their second turn.
            flow = new Flow(group.Caller, promptPass, admitted);
            _flows.Add(group.Caller, flow);
        }

        flow.Groups++;
        group.Since = step;
        group.Place = flow.Waiting.AddLast(group);
        Count++;
    }

    /// <summary>Lets a group wait for its reader before it wants slots.</summary>
    public void SetAside(SequenceGroup group)
    {
        Leave(group);
        group.Place = Stalled.AddLast(group);
    }

    /// <summary>Takes a group that gave its slots up.</summary>
    /// <param name="waitsForReader">Whether it wants no slots before its reader has caught up.</param>
    public void PutBack(SequenceGroup group, long step, bool waitsForReader)
    {
        group.Since = step;
        if (waitsForReader)
        {
            group.Place = Stalled.AddLast(group);
            return;
        }

        // Before those of its flow that have not begun.
        group.Place = Of(group.Caller).Waiting.AddFirst(group);
        Count++;
    }

    /// <summary>Lets groups whose readers caught up wait for slots.</summary>
    public void ResumeReaders(long step)
    {
        for (var node = Stalled.First; node is not null;)
        {
            var (group, next) = (node.Value, node.Next);
            if (group.Kind.HasRoom)
            {
                Stalled.Remove(node);
                group.Kind.SetPaused(false);
                PutBack(group, step, waitsForReader: false);
            }

            node = next;
        }
    }

    /// <summary>Takes a group that gets its slots.</summary>
    public Flow Take(SequenceGroup group, long admission)
    {
        Leave(group);
        var flow = Of(group.Caller);
        flow.Held += group.Width;
        flow.LastAdmitted = admission;
        return flow;
    }

    /// <summary>Forgets a group that has ended.</summary>
    public void End(SequenceGroup group)
    {
        Leave(group);
        var flow = Of(group.Caller);
        if (--flow.Groups == 0)
        {
            _flows.Remove(group.Caller);
        }
    }

    public IEnumerable<SequenceGroup> All() => _flows.Values.SelectMany(flow => flow.Waiting).Concat(Stalled);

    /// <summary>Lists the flows, and the groups that come into question now.</summary>
    public void List(long step)
    {
        _order.Clear();
        _indices.Clear();
        _listed.Clear();
        if (_flowViews.Length < _flows.Count)
        {
            _flowViews = new FlowView[2 * _flows.Count];
        }

        foreach (var flow in _flows.Values)
        {
            _indices.Add(flow.Caller, _order.Count);
            _flowViews[_order.Count] = flow.View;
            _order.Add(flow);
        }

        if (Count == 0)
        {
            return;
        }

        foreach (var flow in Candidates())
        {
            var looked = 0;
            for (var node = flow.Waiting.First; node is not null && looked < LookAhead; node = node.Next, looked++)
            {
                AddView(node.Value, step);
            }
        }
    }

    /// <summary>Sentences about what is wrong with the books.</summary>
    public IEnumerable<string> BrokenInvariants(IReadOnlyList<SequenceGroup> withSlots)
    {
        foreach (var flow in _flows.Values)
        {
            var held = withSlots.Where(group => group.Caller == flow.Caller).ToList();
            if (flow.Held != held.Sum(group => group.Width))
            {
                yield return $"'{flow.Caller.Project}' is said to hold {flow.Held} slots and holds {held.Sum(group => group.Width)}";
            }

            var groups = held.Count + flow.Waiting.Count + Stalled.Count(group => group.Caller == flow.Caller);
            if (flow.Groups != groups)
            {
                yield return $"'{flow.Caller.Project}' is said to have {flow.Groups} groups and has {groups}";
            }
        }

        if (Count != _flows.Values.Sum(flow => flow.Waiting.Count))
        {
            yield return $"{Count} groups are said to wait";
        }
    }

    /// <summary>Flows with waiting groups: those that hold least come first, and there are as many as could get a slot.</summary>
    private IEnumerable<Flow> Candidates()
    {
        var waiting = _order.Where(flow => flow.Waiting.Count > 0);
        return _order.Count <= slots
            ? waiting
            : waiting.OrderBy(flow => flow.View.ShareWith(0)).ThenBy(flow => flow.LastAdmitted).Take(slots);
    }

    private void AddView(SequenceGroup group, long step)
    {
        if (_views.Length == _listed.Count)
        {
            Array.Resize(ref _views, Math.Max(16, 2 * _views.Length));
        }

        _views[_listed.Count] = new WaitingView(group.Tokens, group.Width, group.SharesPrefix, group.RowsFrom, group.Caller.Project)
        {
            Flow = IndexOf(group.Caller),
            Waited = step - group.Since,
            Resumes = group.Resumes,
            Past = group.Members[0].Past,
        };
        _listed.Add(group);
    }

    private void Leave(SequenceGroup group)
    {
        if (group.Place is not { List: { } list } place)
        {
            return;
        }

        Count -= list == Stalled ? 0 : 1;
        list.Remove(place);
        group.Place = null;
    }
}
