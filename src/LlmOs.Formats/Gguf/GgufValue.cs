namespace LlmOs.Formats.Gguf;

/// <summary>Kinds of metadata values, with GGUF's numbers.</summary>
public enum GgufType
{
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Flag = 7,
    Text = 8,
    List = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

/// <summary>A metadata value. Lists of numbers and texts are kept packed: a vocabulary has hundreds of thousands.</summary>
/// <param name="Type">As stored.</param>
public abstract record GgufValue(GgufType Type);

/// <summary>A whole number of any width.</summary>
public sealed record GgufWhole(GgufType Type, Int128 Value) : GgufValue(Type);

/// <summary>A floating number of either width.</summary>
public sealed record GgufReal(GgufType Type, double Value) : GgufValue(Type);

public sealed record GgufFlag(bool Value) : GgufValue(GgufType.Flag);

public sealed record GgufText(string Value) : GgufValue(GgufType.Text);

/// <summary>A list of whole numbers, of which each is what its stored width can hold.</summary>
/// <param name="ItemType">The items' width; a U64 item above the range of <see cref="long"/> is refused when read.</param>
public sealed record GgufWholes(GgufType ItemType, IReadOnlyList<long> Items) : GgufValue(GgufType.List);

/// <summary>A list of floating numbers, widened.</summary>
public sealed record GgufReals(GgufType ItemType, IReadOnlyList<double> Items) : GgufValue(GgufType.List);

public sealed record GgufFlags(IReadOnlyList<bool> Items) : GgufValue(GgufType.List);

public sealed record GgufTexts(IReadOnlyList<string> Items) : GgufValue(GgufType.List);

/// <summary>A list of lists.</summary>
public sealed record GgufLists(IReadOnlyList<GgufValue> Items) : GgufValue(GgufType.List);
