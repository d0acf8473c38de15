using LlmOs.Engine.Cache;

namespace LlmOs.Engine.Scheduling;

/// <summary>
/// Knows every sequence and its slot, and keeps the running ones in slots 0 to n-1, so that a decode step is one view of the cache.
/// </summary>
/// <remarks>For the loop's thread only. Which step comes next is decided by <see cref="DecodeFirst"/>.</remarks>
internal sealed class Scheduler
{
    private readonly SlotCache _cache;
    private readonly PrefixIndex _prefixes;
    private readonly int _chunk;
    private readonly LinkedList<Sequence> _waiting = new();
    private readonly List<Sequence> _prompts = [];
    private readonly List<Sequence> _paused = [];
    private readonly Sequence?[] _bySlot;
    private readonly long[] _lastUse;
    private readonly PromptCandidate[] _candidates;
    private long _uses;
    private long _chunksRun;

    public Scheduler(SlotCache cache, int chunk)
    {
        _cache = cache;
        _chunk = chunk;
        _prefixes = new PrefixIndex(cache.Slots, chunk);
        _bySlot = new Sequence?[cache.Slots];
        _lastUse = new long[cache.Slots];
        _candidates = new PromptCandidate[cache.Slots];
    }

    /// <summary>Sequences that decode; they are in slots 0 to this minus one.</summary>
    public int Running { get; private set; }

    public int Waiting => _waiting.Count;

    public int Prompts => _prompts.Count;

    public int Paused => _paused.Count;

    public Sequence RunningAt(int slot) =>
        slot < Running ? _bySlot[slot]! : throw new ArgumentOutOfRangeException(nameof(slot), slot, $"There are {Running} running sequences.");

    public void Add(Sequence sequence) => _waiting.AddLast(sequence);

    /// <summary>Gives free slots to waiting sequences, oldest first. Returns those that got one through <paramref name="admitted"/>.</summary>
    public void Admit(Action<Sequence> admitted)
    {
        while (_waiting.First is { } first && _cache.Slots - _cache.Taken >= first.Value.Width)
        {
            _waiting.RemoveFirst();
            var sequence = first.Value;
            Place(sequence, SequenceState.Prompt);
            _prompts.Add(sequence);
            foreach (var member in sequence.Group?.Members[1..] ?? [])
            {
                Place(member, SequenceState.Held);
            }

            admitted(sequence);
        }
    }

    private void Place(Sequence sequence, SequenceState state)
    {
        var slot = ChooseSlot(sequence, reusable: state == SequenceState.Prompt && sequence.Logits is null && sequence.SharesPrefix, out var held);
        _cache.Take(slot);
        _bySlot[slot] = sequence;
        sequence.Slot = slot;
        sequence.State = state;
        sequence.Past = held;
        sequence.Cached = held;
        _prefixes.Record(slot, sequence.Tokens, held);
    }

    /// <summary>The next step. Tokens that another slot has meanwhile come to hold are copied first.</summary>
    public StepPlan Plan()
    {
        for (var i = 0; i < _prompts.Count; i++)
        {
            _candidates[i] = new PromptCandidate(_prompts[i].Past, _prompts[i].Tokens.Length);
        }

        var candidates = _candidates.AsSpan(0, _prompts.Count);
        var plan = DecodeFirst.Plan(Running, candidates, _chunk, _chunksRun);
        if (!plan.HasPrompt || !ExtendFromCache(_prompts[plan.Prompt]))
        {
            return plan;
        }

        candidates[plan.Prompt] = candidates[plan.Prompt] with { Past = _prompts[plan.Prompt].Past };
        return DecodeFirst.Plan(Running, candidates, _chunk, _chunksRun);
    }

    public Sequence PromptAt(int index) => _prompts[index];

    /// <summary>Notes that a chunk of the sequence's prompt is in its slot.</summary>
    public void PromptAdvanced(Sequence sequence, int count)
    {
        _chunksRun++;
        sequence.Past += count;
        _prefixes.Record(sequence.Slot, sequence.Tokens, sequence.SharesPrefix ? sequence.Past : 0);
    }

    /// <summary>The sequence's prompt is done, or its reader caught up: it decodes from the next step on.</summary>
    public void Join(Sequence sequence)
    {
        _ = _prompts.Remove(sequence) || _paused.Remove(sequence);
        MoveTo(sequence, Running, sequence.Past);
        Running++;
        sequence.State = SequenceState.Running;
    }

    /// <summary>Takes a running sequence out of the decode steps; it keeps a slot and its contents.</summary>
    public void Pause(Sequence sequence)
    {
        LeaveRunning(sequence, sequence.Past);
        sequence.State = SequenceState.Paused;
        _paused.Add(sequence);
    }

    /// <summary>Lets paused sequences whose readers caught up decode again.</summary>
    public void ResumeReaders(Action<Sequence> resumed)
    {
        for (var i = _paused.Count - 1; i >= 0; i--)
        {
            var sequence = _paused[i];
            if (sequence.Output!.HasRoom)
            {
                Join(sequence);
                resumed(sequence);
            }
        }
    }

    /// <summary>Takes the sequence out, wherever it stands, and frees its slot.</summary>
    /// <param name="contentsAreSound">Whether what the slot holds may serve later prompts.</param>
    public void Remove(Sequence sequence, bool contentsAreSound)
    {
        if (!contentsAreSound && sequence.Slot >= 0)
        {
            _prefixes.Forget(sequence.Slot);
        }

        switch (sequence.State)
        {
            case SequenceState.Ended:
                return;
            case SequenceState.Waiting:
                _waiting.Remove(sequence);
                break;
            case SequenceState.Running:
                LeaveRunning(sequence, _prefixes.HeldBy(sequence.Slot));
                break;
            case SequenceState.Prompt:
                _prompts.Remove(sequence);
                break;
            case SequenceState.Paused:
                _paused.Remove(sequence);
                break;
            case SequenceState.Held:
                break;
        }

        sequence.State = SequenceState.Ended;
        if (sequence.Slot < 0)
        {
            return;
        }

        var slot = sequence.Slot;
        _bySlot[slot] = null;
        _lastUse[slot] = ++_uses;
        _cache.GiveBack(slot);
        sequence.Slot = -1;
    }

    /// <summary>Every sequence that has not ended.</summary>
    public IReadOnlyList<Sequence> All() => [.. _waiting, .. _bySlot.OfType<Sequence>()];

    /// <summary>Sentences about what is wrong with the accounting; empty when all is well.</summary>
    public IReadOnlyList<string> BrokenInvariants()
    {
        var broken = new List<string>();
        for (var slot = 0; slot < _bySlot.Length; slot++)
        {
            var owner = _bySlot[slot];
            if (owner is null == _cache.IsTaken(slot))
            {
                broken.Add($"slot {slot} is {(owner is null ? "taken without an owner" : "owned but not taken")}");
            }

            if (owner is not null && owner.Slot != slot)
            {
                broken.Add($"the owner of slot {slot} believes to be in slot {owner.Slot}");
            }

            if (slot < Running != (owner?.State == SequenceState.Running))
            {
                broken.Add($"slot {slot} of {Running} running ones is owned by a sequence that is {owner?.State.ToString() ?? "nobody"}");
            }

            if (owner is not null && _prefixes.HeldBy(slot) > owner.Past)
            {
                broken.Add($"slot {slot} is said to hold {_prefixes.HeldBy(slot)} prompt tokens but its owner has {owner.Past}");
            }
        }

        return broken;
    }

    /// <summary>
    /// A free slot: the one that holds the most of the prompt, unless using it would throw away more than it saves;
    /// else one with nothing worth keeping, else the one unused for longest.
    /// </summary>
    /// <param name="held">Tokens of the prompt that the slot holds already.</param>
    /// <param name="reusable">Whether the prompt may begin with what a slot holds: not where the logits of every row are wanted.</param>
    private int ChooseSlot(Sequence sequence, bool reusable, out int held)
    {
        var (best, bestHeld, empty, oldest) = (-1, 0, -1, -1);
        for (var slot = 0; slot < _bySlot.Length; slot++)
        {
            if (_bySlot[slot] is not null)
            {
                continue;
            }

            var match = reusable ? _prefixes.Match(slot, sequence.Tokens) : 0;
            if (match > bestHeld)
            {
                (best, bestHeld) = (slot, match);
            }

            if (empty < 0 && _prefixes.HeldBy(slot) == 0)
            {
                empty = slot;
            }

            if (oldest < 0 || _lastUse[slot] < _lastUse[oldest])
            {
                oldest = slot;
            }
        }

        var spare = empty >= 0 ? empty : oldest;
        var inPlace = best >= 0 && (best == spare || 2 * bestHeld >= _prefixes.HeldBy(best));
        held = inPlace ? bestHeld : 0;
        return inPlace ? best : spare;
    }

    /// <summary>Copies whole chunks that another slot holds and this prompt still needs.</summary>
    private bool ExtendFromCache(Sequence sequence)
    {
        if (sequence.Logits is not null || !sequence.SharesPrefix || sequence.Past % _chunk != 0)
        {
            return false;
        }

        var match = _prefixes.Find(sequence.Tokens);
        if (match.Tokens <= sequence.Past)
        {
            return false;
        }

        _cache.CopyTokens(match.Slot, sequence.Slot, sequence.Past, match.Tokens);
        sequence.Cached += match.Tokens - sequence.Past;
        sequence.Past = match.Tokens;
        _prefixes.Record(sequence.Slot, sequence.Tokens, sequence.Past);
        return true;
    }

    /// <param name="keep">Tokens of its slot that are still of use.</param>
    private void LeaveRunning(Sequence sequence, int keep)
    {
        // The last running sequence fills the hole.
        Running--;
        MoveTo(sequence, Running, keep);
    }

    private void MoveTo(Sequence sequence, int slot, int keep)
    {
        var from = sequence.Slot;
        if (from == slot)
        {
            return;
        }

        var other = _bySlot[slot];
        _cache.Exchange(from, keep, slot, other?.Past ?? _prefixes.HeldBy(slot));
        _prefixes.Exchange(from, slot);
        (_lastUse[from], _lastUse[slot]) = (_lastUse[slot], _lastUse[from]);
        _bySlot[slot] = sequence;
        _bySlot[from] = other;
        sequence.Slot = slot;
        if (other is not null)
        {
            other.Slot = from;
        }
    }
}
