using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>A text in the queue.</summary>
/// <param name="Index">Its place in its request.</param>
/// <param name="Number">Rises with every text, so that the oldest can be told.</param>
internal sealed record EncoderItem(EncoderRequest Request, int Index, long Number)
{
    public EncoderText Text => Request.Texts[Index];
}

/// <summary>The waiting texts of an encoder, by what may run together. For the loop's thread.</summary>
internal sealed class EncoderQueues
{
    private readonly Dictionary<(int Length, EncoderOutput Wanted), int> _byKey = [];
    private readonly List<(int Length, EncoderOutput Wanted, LinkedList<EncoderItem> Items)> _queues = []; // one for each length there ever was
    private readonly Dictionary<EncoderRequest, List<LinkedListNode<EncoderItem>>> _byRequest = [];
    private BatchQueue[] _views = [];
    private long _next;

    /// <summary>Every request that has not ended, with its texts in the queue or in the batch.</summary>
    public IReadOnlyCollection<EncoderRequest> Requests => _byRequest.Keys;

    /// <param name="paddedLength">The length to which a text of so many tokens is filled up.</param>
    public void Add(EncoderRequest request, Func<int, int> paddedLength)
    {
        var nodes = new List<LinkedListNode<EncoderItem>>(request.Texts.Count);
        for (var i = 0; i < request.Texts.Count; i++)
        {
            var items = QueueOf(paddedLength(request.Texts[i].Ids.Length), request.Wanted);
            nodes.Add(items.AddLast(new EncoderItem(request, i, _next++)));
        }

        _byRequest.Add(request, nodes);
    }

    public void Remove(EncoderRequest request)
    {
        if (_byRequest.Remove(request, out var nodes))
        {
            nodes.ForEach(node => node.List?.Remove(node));
        }
    }

    /// <summary>What the next plan is made of; valid until something changes.</summary>
    public ReadOnlySpan<BatchQueue> Snapshot()
    {
        if (_views.Length < _queues.Count)
        {
            _views = new BatchQueue[2 * _queues.Count];
        }

        for (var i = 0; i < _queues.Count; i++)
        {
            var (length, _, items) = _queues[i];
            _views[i] = new BatchQueue(length, items.First?.Value.Number ?? 0, items.Count);
        }

        return _views.AsSpan(0, _queues.Count);
    }

    /// <summary>Takes the texts of a plan of the latest snapshot out of the queue.</summary>
    public EncoderItem[] Take(BatchPlan plan, out int length, out EncoderOutput wanted)
    {
        (length, wanted, var items) = _queues[plan.Queue];
        var batch = new EncoderItem[plan.Count];
        for (var i = 0; i < batch.Length; i++)
        {
            batch[i] = items.First!.Value;
            items.RemoveFirst();
        }

        return batch;
    }

    private LinkedList<EncoderItem> QueueOf(int length, EncoderOutput wanted)
    {
        if (!_byKey.TryGetValue((length, wanted), out var index))
        {
            _byKey.Add((length, wanted), index = _queues.Count);
            _queues.Add((length, wanted, new LinkedList<EncoderItem>()));
        }

        return _queues[index].Items;
    }
}
