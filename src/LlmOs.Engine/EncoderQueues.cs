using System.Collections.Immutable;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>A text in the queue.</summary>
/// <param name="Index">Its place in its request.</param>
/// <param name="Number">Rises with every text, so that the oldest can be told.</param>
internal sealed record EncoderItem(EncoderRequest Request, int Index, long Number)
{
    public EncoderText Text => Request.Texts[Index];
}

/// <summary>The waiting texts of an encoder, by caller and by what may run together. For the loop's thread.</summary>
internal sealed class EncoderQueues(TimeProvider clock)
{
    /// <summary>How long a caller without texts counts as one who is at work: long enough for one who asks for a text now and then.</summary>
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(10);

    private readonly Dictionary<EngineCaller, Caller> _callers = [];
    private readonly Dictionary<EncoderRequest, List<LinkedListNode<EncoderItem>>> _byRequest = [];
    private readonly List<LinkedList<EncoderItem>> _listed = [];
    private readonly List<Caller> _order = [];
    private BatchQueue[] _queues = [];
    private BatchFlow[] _flows = [];
    private double _pass; // that of the caller whose texts ran last, before they ran
    private long _next;

    /// <summary>Every request that has not ended, with its texts in the queue or in the batch.</summary>
    public IReadOnlyCollection<EncoderRequest> Requests => _byRequest.Keys;

    /// <summary>Whether more than one caller is at work.</summary>
    public bool IsShared => _callers.Count > 1;

    /// <param name="paddedLength">The length to which a text of so many tokens is filled up.</param>
    public void Add(EncoderRequest request, Func<int, int> paddedLength)
    {
        if (!_callers.TryGetValue(request.Caller, out var caller))
        {
            _callers.Add(request.Caller, caller = new Caller(request.Caller));
        }

        // One that had no text for a while has not saved up turns.
        caller.Pass = caller.Texts == 0 ? Math.Max(caller.Pass, _pass) : caller.Pass;
        var nodes = new List<LinkedListNode<EncoderItem>>(request.Texts.Count);
        for (var i = 0; i < request.Texts.Count; i++)
        {
            var items = caller.QueueOf(paddedLength(request.Texts[i].Ids.Length), request.Wanted);
            nodes.Add(items.AddLast(new EncoderItem(request, i, _next++)));
        }

        caller.Texts += nodes.Count;
        caller.LastSeen = clock.GetTimestamp();
        _byRequest.Add(request, nodes);
    }

    public void Remove(EncoderRequest request)
    {
        if (!_byRequest.Remove(request, out var nodes))
        {
            return;
        }

        var caller = _callers[request.Caller];
        foreach (var node in nodes.Where(node => node.List is not null))
        {
            node.List!.Remove(node);
            caller.Texts--;
        }

        caller.LastSeen = clock.GetTimestamp();
    }

    /// <summary>Plans the next step.</summary>
    /// <param name="tokens">Tokens of a batch, padding among them.</param>
    public ImmutableArray<BatchPart> Plan(int tokens)
    {
        Forget();
        _listed.Clear();
        _order.Clear();
        foreach (var caller in _callers.Values)
        {
            foreach (var ((length, wanted), items) in caller.Queues)
            {
                if (items.First is { } first)
                {
                    Grow(ref _queues, _listed.Count);
                    _queues[_listed.Count] = new BatchQueue(_order.Count, length, wanted, first.Value.Number, items.Count);
                    _listed.Add(items);
                }
            }

            Grow(ref _flows, _order.Count);
            _flows[_order.Count] = new BatchFlow(caller.Pass);
            _order.Add(caller);
        }

        return BatchOrder.Next(_queues.AsSpan(0, _listed.Count), _flows.AsSpan(0, _order.Count), tokens);
    }

    /// <summary>Takes the texts of the latest plan out of the queue.</summary>
    public EncoderItem[] Take(ImmutableArray<BatchPart> plan, out int length, out EncoderOutput wanted)
    {
        (length, wanted) = (_queues[plan[0].Queue].Length, _queues[plan[0].Queue].Wanted);
        _pass = Math.Max(_pass, _order[_queues[plan[0].Queue].Flow].Pass);
        List<EncoderItem> batch = [];
        foreach (var (queue, count) in plan)
        {
            var caller = _order[_queues[queue].Flow];
            for (var i = 0; i < count; i++)
            {
                batch.Add(_listed[queue].First!.Value);
                _listed[queue].RemoveFirst();
            }

            caller.Texts -= count;
            caller.Pass += (double)count * length / caller.Weight;
        }

        return [.. batch];
    }

    /// <summary>Drops callers who have asked for nothing for a while.</summary>
    private void Forget()
    {
        if (_callers.Count > 1)
        {
            foreach (var (key, _) in _callers.Where(caller => caller.Value.Texts == 0 && clock.GetElapsedTime(caller.Value.LastSeen) > Lasts).ToList())
            {
                _callers.Remove(key);
            }
        }
    }

    private static void Grow<T>(ref T[] array, int count)
    {
        if (array.Length == count)
        {
            Array.Resize(ref array, Math.Max(16, 2 * count));
        }
    }

    private sealed class Caller(EngineCaller caller)
    {
        public int Weight => caller.Weight;

        /// <summary>One for each length there ever was.</summary>
        public Dictionary<(int Length, EncoderOutput Wanted), LinkedList<EncoderItem>> Queues { get; } = [];

        /// <summary>Texts that wait.</summary>
        public int Texts { get; set; }

        public double Pass { get; set; }

        public long LastSeen { get; set; }

        public LinkedList<EncoderItem> QueueOf(int length, EncoderOutput wanted)
        {
            if (!Queues.TryGetValue((length, wanted), out var items))
            {
                Queues.Add((length, wanted), items = new LinkedList<EncoderItem>());
            }

            return items;
        }
    }
}
