using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Patterns;

internal enum PatternOp
{
    Match,
    One,
    Split,
    Jump,
    Repeat,
    Look,
    Atomic,
    Anchor,
    Mark,
    Progress,
}

/// <summary>One step of a compiled expression.</summary>
/// <param name="A">Split and Jump: first target. Look and Atomic: where to go on. Mark and Progress: the slot. Anchor: its kind.</param>
/// <param name="B">Split: second target. Progress: where to go when nothing was read. Look: 1 negative, 2 behind.</param>
internal readonly record struct PatternStep(
    PatternOp Op, int A = 0, int B = 0, CodeSet? Set = null, int Min = 0, int Max = 0, bool Possessive = false);

/// <summary>Lays a parsed expression out as steps for <see cref="PatternMatcher"/>.</summary>
internal sealed class PatternProgram
{
    private const int MaxSteps = 20_000;

    private readonly List<PatternStep> _steps = [];
    private readonly string _component;

    private PatternProgram(string component) => _component = component;

    public IReadOnlyList<PatternStep> Steps => _steps;

    /// <summary>How many slots the marks need.</summary>
    public int Slots { get; private set; }

    public static PatternProgram Compile(PatternNode node, string component)
    {
        var program = new PatternProgram(component);
        program.Emit(node);
        program.Add(new PatternStep(PatternOp.Match));
        return program;
    }

    private int Add(PatternStep step)
    {
        if (_steps.Count >= MaxSteps)
        {
            throw new TokenizerFormatException($"{_component}: the regular expression is too large once its repetitions are written out.");
        }

        _steps.Add(step);
        return _steps.Count - 1;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Nothing:
                break;
            case PatternNode.One one:
                Add(new PatternStep(PatternOp.One, Set: one.Set));
                break;
            case PatternNode.Chain chain:
                foreach (var part in chain.Parts)
                {
                    Emit(part);
                }

                break;
            case PatternNode.Either either:
                EmitEither(either);
                break;
            case PatternNode.Loop { Body: var body, Mode: not LoopMode.Lazy } loop when Single(body) is { } set:
                Add(new PatternStep(
                    PatternOp.Repeat, Set: set, Min: loop.Min, Max: loop.Max < 0 ? int.MaxValue : loop.Max,
                    Possessive: loop.Mode == LoopMode.Possessive));
                break;
            case PatternNode.Loop { Mode: LoopMode.Possessive } loop:
                Emit(new PatternNode.Atomic(loop with { Mode = LoopMode.Greedy }));
                break;
            case PatternNode.Loop loop:
                EmitLoop(loop);
                break;
            case PatternNode.Atomic atomic:
                EmitInner(PatternOp.Atomic, atomic.Body, 0);
                break;
            case PatternNode.Look look:
                EmitInner(PatternOp.Look, look.Body, (look.Negative ? 1 : 0) | (look.Behind ? 2 : 0));
                break;
            case PatternNode.Anchor anchor:
                Add(new PatternStep(PatternOp.Anchor, (int)anchor.Kind));
                break;
            default:
                throw new InvalidOperationException($"There are no steps for {node.GetType().Name}.");
        }
    }

    private static CodeSet? Single(PatternNode node) => node switch
    {
        PatternNode.One one => one.Set,
        PatternNode.Chain { Parts: [var only] } => Single(only),
        _ => null,
    };

    private void EmitEither(PatternNode.Either either)
    {
        var jumps = new List<int>();
        for (var i = 0; i < either.Options.Count - 1; i++)
        {
            var split = Add(new PatternStep(PatternOp.Split));
            Emit(either.Options[i]);
            jumps.Add(Add(new PatternStep(PatternOp.Jump)));
            _steps[split] = new PatternStep(PatternOp.Split, split + 1, _steps.Count);
        }

        Emit(either.Options[^1]);
        foreach (var jump in jumps)
        {
            _steps[jump] = new PatternStep(PatternOp.Jump, _steps.Count);
        }
    }

    private void EmitLoop(PatternNode.Loop loop)
    {
        for (var i = 0; i < loop.Min; i++)
        {
            Emit(loop.Body);
        }

        var lazy = loop.Mode == LoopMode.Lazy;
        if (loop.Max < 0)
        {
            var slot = Slots++;
            var split = Add(new PatternStep(PatternOp.Split));
            Add(new PatternStep(PatternOp.Mark, slot));
            Emit(loop.Body);
            var progress = Add(new PatternStep(PatternOp.Progress));
            Add(new PatternStep(PatternOp.Jump, split));
            _steps[progress] = new PatternStep(PatternOp.Progress, slot, _steps.Count);
            _steps[split] = Branch(split + 1, _steps.Count, lazy);
            return;
        }

        var exits = new List<int>();
        for (var i = loop.Min; i < loop.Max; i++)
        {
            exits.Add(Add(new PatternStep(PatternOp.Split)));
            Emit(loop.Body);
        }

        foreach (var exit in exits)
        {
            _steps[exit] = Branch(exit + 1, _steps.Count, lazy);
        }
    }

    private static PatternStep Branch(int into, int past, bool lazy) =>
        lazy ? new PatternStep(PatternOp.Split, past, into) : new PatternStep(PatternOp.Split, into, past);

    private void EmitInner(PatternOp op, PatternNode body, int kind)
    {
        var head = Add(new PatternStep(op));
        Emit(body);
        Add(new PatternStep(PatternOp.Match));
        _steps[head] = new PatternStep(op, _steps.Count, kind);
    }
}
