using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>What the jobs of these tests say.</summary>
internal static class Codes
{
    private static readonly JobCode Said = new("said", "{text}");

    public static JobMessage Say(string text) => Said.With(("text", text));

    public static JobLine Line(string text) => Say(text).ToLine(1_000);

    /// <summary>Specifications of jobs whose own are too small for a blob.</summary>
    public static JobSpecs NoBlobs(TempFolder temp) => new(new ArtifactStore(new DataFolder(temp.At("specs"))));
}
