using LlmOs.Engine.Execution;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Execution;

/// <summary>Spoilt graphs are read or refused.</summary>
public sealed class GraphFilesFuzzTests
{
    [Fact]
    public void Graphs()
    {
        var path = TinyLlama.Random(seed: 1, layers: 1, vocabulary: 32).Write();
        ReaderFuzz.Run(path, bytes => GraphFiles.ExternalFiles(new MemoryStream(bytes)), fault => fault is EngineGraphException, allowedBytes: 1 << 20);
    }
}
