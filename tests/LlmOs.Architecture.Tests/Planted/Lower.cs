using LlmOs.Architecture.Tests.Planted.Upper;

namespace LlmOs.Architecture.Tests.Planted.Lower;

// Each names the type above in another way. A rule that misses one of them would let it through in the tiers too.
internal sealed class Derived : Above;

internal sealed class Field
{
    public Above? Value;
}

internal sealed class Argument
{
    public static void Take(Above value) => ArgumentNullException.ThrowIfNull(value);
}

internal sealed class Body
{
    public static int Read() => Above.Number;
}

internal sealed class Generic
{
    public static object Make() => new List<Above>();
}

internal sealed class Lambda
{
    public static Func<object> Make() => () => new Above();
}

internal sealed class Async
{
    public static async Task<object> MakeAsync()
    {
        await Task.Yield();
        return new Above();
    }
}

/// <summary>Names nothing of above.</summary>
internal sealed class Innocent
{
    public static int Read() => 1;
}
