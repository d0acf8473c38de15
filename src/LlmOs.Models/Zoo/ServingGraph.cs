using LlmOs.Engine.Execution;

namespace LlmOs.Models.Zoo;

/// <summary>A graph on disk that the engine can open.</summary>
/// <param name="OnnxPath">The ONNX file; its weights lie beside it.</param>
public abstract record ModelGraph(string OnnxPath);

/// <summary>A decoder's graph, and what the engine must know of it.</summary>
public sealed record ServingGraph(string OnnxPath, DecoderShape Shape) : ModelGraph(OnnxPath);

/// <summary>An encoder's graph, and what the engine must know of it.</summary>
public sealed record EncoderGraph(string OnnxPath, EncoderShape Shape) : ModelGraph(OnnxPath);
