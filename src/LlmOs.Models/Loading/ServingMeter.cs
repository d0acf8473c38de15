namespace LlmOs.Models.Loading;

/// <summary>Where the figures of serving are found.</summary>
public static class ServingMeter
{
    public const string Name = "LlmOs.Serving";
}
