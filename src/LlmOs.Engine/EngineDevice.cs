namespace LlmOs.Engine;

/// <summary>Where a model runs.</summary>
public enum EngineDevice
{
    /// <summary>The first CUDA card where the native package has CUDA and a card answers, else the processor.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>The first CUDA card; a refusal where there is none.</summary>
    Cuda,
}
