using LlmOs.Engine.Execution;

namespace LlmOs.Models.Zoo;

/// <summary>A graph on disk that the engine can open, and what the engine must know of it.</summary>
/// <param name="OnnxPath">The ONNX file; its weights lie beside it.</param>
public sealed record ServingGraph(string OnnxPath, DecoderShape Shape);
