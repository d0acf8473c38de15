using System.Runtime.CompilerServices;

namespace LlmOs.Formats.Templates.Running;

/// <summary>One rendering: what it has used of its limits, and where it is. Everything that grows or repeats asks here first.</summary>
internal sealed class RenderRun(TemplateLimits limits, DateTimeOffset now, TimeProvider clock, CancellationToken cancel)
{
    /// <summary>Steps between looks at the clock.</summary>
    private const int StepsPerLook = 1024;

    /// <summary>UTF-16 units that are searched or compared within a step.</summary>
    private const int UnitsPerStep = 16;

    /// <summary>What an item of a list counts, in UTF-16 units.</summary>
    private const int UnitsPerItem = 32;

    private readonly long _began = clock.GetTimestamp();
    private long _steps;
    private long _nextLook = StepsPerLook;
    private long _text;
    private int _depth;

    /// <summary>What <c>strftime_now</c> shows.</summary>
    public DateTimeOffset Now => now;

    /// <summary>The line of the statement or expression that was begun last.</summary>
    public int Line { get; private set; }

    /// <summary>Where the template's own text goes, as opposed to that of a macro or a block that is kept.</summary>
    public TextOutput? Output { get; set; }

    /// <summary>What stood in <c>generation</c> blocks so far.</summary>
    public List<TextSpan> Generated { get; } = [];

    /// <summary>Goes a level deeper, for a step.</summary>
    public void Enter(int line = 0)
    {
        Step();
        if (line != 0)
        {
            Line = line;
        }

        if (++_depth > limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Limit($"goes deeper than {limits.Depth} levels of blocks, expressions and calls");
        }
    }

    public void Leave() => _depth--;

    /// <summary>Counts a step.</summary>
    public void Step() => Steps(1);

    /// <summary>Counts the work of going over so many UTF-16 units.</summary>
    public void Scan(long units) => Steps(units / UnitsPerStep);

    /// <summary>Counts a text that is about to be made.</summary>
    /// <param name="length">How long the whole of it will be, in UTF-16 units.</param>
    public void Make(long length)
    {
        if (length > limits.TextLength)
        {
            throw Limit($"makes a text of more than {limits.TextLength} characters");
        }

        Grow(length);
    }

    /// <summary>Counts more of a text that is being made.</summary>
    /// <param name="length">How long it is now.</param>
    public void Extend(long more, long length)
    {
        if (length > limits.TextLength)
        {
            throw Limit($"makes a text of more than {limits.TextLength} characters");
        }

        Grow(more);
    }

    /// <summary>Counts items that are about to be put into a list.</summary>
    public void MakeItems(long count)
    {
        Grow(count * UnitsPerItem);
        Steps(1 + (count / 8));
    }

    private void Grow(long units)
    {
        _text += units;
        if (_text > limits.TotalText)
        {
            throw Limit($"makes more than {limits.TotalText} characters of text in all");
        }
    }

    private void Steps(long count)
    {
        _steps += count;
        if (_steps > limits.Steps)
        {
            throw Limit($"takes more than {limits.Steps} steps");
        }

        if (_steps >= _nextLook)
        {
            _nextLook = _steps + StepsPerLook;
            cancel.ThrowIfCancellationRequested();
            if (clock.GetElapsedTime(_began) > limits.Time)
            {
                throw Limit($"takes longer than {limits.Time.TotalSeconds} seconds");
            }
        }
    }

    private static TemplateException Limit(string what) => new(TemplateFault.Limit, $"The template {what}, so it was stopped.");
}
