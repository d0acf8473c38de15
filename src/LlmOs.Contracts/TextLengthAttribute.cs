using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>
/// Most characters of a text, or of each text in a list or map. A text without this or <see cref="StringLengthAttribute"/>
/// may hold <see cref="Default"/>, so that a field nobody thought about cannot take a megabyte.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class TextLengthAttribute(int max) : Attribute
{
    /// <summary>For texts that say nothing of their length.</summary>
    public const int Default = 65_536;

    /// <summary>Characters.</summary>
    public int Max { get; } = max;
}
