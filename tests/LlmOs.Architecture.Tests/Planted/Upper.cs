namespace LlmOs.Architecture.Tests.Planted.Upper;

/// <summary>Stands for a type of a tier above.</summary>
internal class Above
{
    public static int Number { get; set; }
}
