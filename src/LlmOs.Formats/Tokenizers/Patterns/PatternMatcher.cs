namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>
/// Backtracking over code points with a budget of steps, so that no expression can keep a core busy for long.
/// </summary>
internal ref struct PatternMatcher
{
    private const int MaxStack = 1 << 24; // numbers

    private readonly ReadOnlySpan<PatternStep> _steps;
    private readonly ReadOnlySpan<char> _text;
    private readonly int[] _slots;
    private readonly Work _work;
    private int[] _stack;
    private int _top;
    private long _budget;

    public PatternMatcher(ReadOnlySpan<PatternStep> steps, ReadOnlySpan<char> text, int[] slots, Work work)
    {
        _steps = steps;
        _text = text;
        _slots = slots;
        _work = work;
        _stack = work.Stack.Length > 0 ? work.Stack : new int[96];
        _budget = work.Steps;
    }

    /// <summary>Whether the budget was used up; nothing more is matched then.</summary>
    public bool Exhausted { get; private set; }

    /// <summary>End of the match that begins at <paramref name="at"/>, or -1.</summary>
    public int MatchAt(int at) => Run(0, at, mustEndAt: -1);

    /// <summary>Gives back what was not used.</summary>
    public readonly void End() => (_work.Steps, _work.Stack) = (_budget, _stack);

    private int Run(int step, int at, int mustEndAt)
    {
        var floor = _top;
        while (true)
        {
            if (--_budget < 0)
            {
                Exhausted = true;
                _top = floor;
                return -1;
            }

            ref readonly var now = ref _steps[step];
            var failed = false;
            switch (now.Op)
            {
                case PatternOp.Match when mustEndAt < 0 || at == mustEndAt:
                    _top = floor;
                    return at;
                case PatternOp.Match:
                    failed = true;
                    break;
                case PatternOp.One:
                    if (at < _text.Length && now.Set!.HoldsAt(_text, at, out var length))
                    {
                        at += length;
                        step++;
                    }
                    else
                    {
                        failed = true;
                    }

                    break;
                case PatternOp.Repeat:
                    failed = !Repeat(in now, step, ref at);
                    step++;
                    break;
                case PatternOp.Split:
                    failed = !Push(now.B, at, -1);
                    step = now.A;
                    break;
                case PatternOp.Jump:
                    step = now.A;
                    break;
                case PatternOp.Mark:
                    failed = !Push(-1 - now.A, _slots[now.A], -1);
                    _slots[now.A] = at;
                    step++;
                    break;
                case PatternOp.Progress:
                    step = _slots[now.A] == at ? now.B : step + 1;
                    break;
                case PatternOp.Anchor:
                    failed = !Holds((AnchorKind)now.A, at);
                    step++;
                    break;
                case PatternOp.Atomic:
                    var end = Run(step + 1, at, -1);
                    failed = end < 0;
                    at = failed ? at : end;
                    step = now.A;
                    break;
                case PatternOp.Look:
                    failed = Look(in now, step + 1, at) == ((now.B & 1) != 0);
                    step = now.A;
                    break;
            }

            if (failed && !Pop(floor, ref step, ref at))
            {
                return -1;
            }
        }
    }

    private bool Repeat(in PatternStep step, int index, ref int at)
    {
        var (start, count, min) = (at, 0, at);
        while (count < step.Max && at < _text.Length && step.Set!.HoldsAt(_text, at, out var length))
        {
            at += length;
            count++;
            if (count == step.Min)
            {
                min = at;
            }
        }

        _budget -= (at - start) >> 3;
        if (count < step.Min)
        {
            return false;
        }

        return step.Possessive || count == step.Min || Push(index + 1, at, min);
    }

    private bool Look(in PatternStep step, int body, int at)
    {
        if ((step.B & 2) == 0)
        {
            return Run(body, at, -1) >= 0;
        }

        // Looking behind: from here back, the nearest start whose match ends here.
        for (var (from, tries) = (at, 0); tries <= 256; from--, tries++)
        {
            if (Run(body, from, mustEndAt: at) >= 0)
            {
                return true;
            }

            if (from == 0)
            {
                return false;
            }
        }

        return false;
    }

    private readonly bool Holds(AnchorKind kind, int at) => kind switch
    {
        AnchorKind.TextStart => at == 0,
        AnchorKind.TextEnd => at == _text.Length,
        AnchorKind.TextEndOrLastLine => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
        AnchorKind.LineStart => at == 0 || (_text[at - 1] == '\n' && at < _text.Length),
        AnchorKind.LineEnd => at == _text.Length || _text[at] == '\n',
        AnchorKind.WordBoundary => WordBefore(at) != WordAfter(at),
        AnchorKind.NoWordBoundary => WordBefore(at) == WordAfter(at),
    };

    private readonly bool WordAfter(int at) =>
        at < _text.Length && (CharClass.At(_text, at, out _) & CharClass.Word) != 0;

    private readonly bool WordBefore(int at)
    {
        var from = at >= 2 && char.IsLowSurrogate(_text[at - 1]) && char.IsHighSurrogate(_text[at - 2]) ? at - 2 : at - 1;
        return at > 0 && (CharClass.At(_text, from, out _) & CharClass.Word) != 0;
    }

    /// <summary>Remembers another way to go on.</summary>
    /// <param name="step">Where; a negative number instead restores slot -1 - step to <paramref name="at"/>.</param>
    /// <param name="min">Where a repetition may shrink to, or -1 for a plain branch.</param>
    private bool Push(int step, int at, int min)
    {
        if (_top + 3 > _stack.Length)
        {
            if (_stack.Length >= MaxStack)
            {
                Exhausted = true;
                _budget = 0;
                return false;
            }

            Array.Resize(ref _stack, _stack.Length * 2);
        }

        (_stack[_top], _stack[_top + 1], _stack[_top + 2]) = (step, at, min);
        _top += 3;
        return true;
    }

    private bool Pop(int floor, ref int step, ref int at)
    {
        while (_top > floor)
        {
            ref var end = ref _stack[_top - 2];
            var (to, min) = (_stack[_top - 3], _stack[_top - 1]);
            if (to < 0)
            {
                _slots[-1 - to] = end;
                _top -= 3;
                continue;
            }

            step = to;
            if (min < 0)
            {
                at = end;
                _top -= 3;
                return true;
            }

            // A repetition gives back one character at a time.
            end -= end - 2 >= min && char.IsLowSurrogate(_text[end - 1]) && char.IsHighSurrogate(_text[end - 2]) ? 2 : 1;
            at = end;
            if (end <= min)
            {
                _top -= 3;
            }

            return true;
        }

        return false;
    }
}
