using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LlmOs.Engine.Execution;

/// <summary>Whether a graph has the inputs and outputs of a decoder of some shape.</summary>
internal static class DecoderGraphCheck
{
    /// <exception cref="EngineGraphException">It does not; the message names what differs.</exception>
    public static void Require(InferenceSession session, DecoderShape shape)
    {
        string[] inputs = [DecoderGraph.InputIds, DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength, DecoderGraph.LogitRows];
        foreach (var name in inputs)
        {
            Require(session.InputMetadata.ContainsKey(name), $"input '{name}'");
        }

        Require(session.OutputMetadata.ContainsKey(DecoderGraph.Logits), $"output '{DecoderGraph.Logits}'");
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            CheckCache(session, DecoderGraph.PastKey(layer), shape);
            CheckCache(session, DecoderGraph.PastValue(layer), shape);
            Require(session.OutputMetadata.ContainsKey(DecoderGraph.PresentKey(layer)), $"output '{DecoderGraph.PresentKey(layer)}'");
            Require(session.OutputMetadata.ContainsKey(DecoderGraph.PresentValue(layer)), $"output '{DecoderGraph.PresentValue(layer)}'");
        }

        Require(
            !session.InputMetadata.ContainsKey(DecoderGraph.PastKey(shape.Layers)),
            $"exactly {shape.Layers} layers; it also has '{DecoderGraph.PastKey(shape.Layers)}'");
    }

    private static void CheckCache(InferenceSession session, string name, DecoderShape shape)
    {
        Require(session.InputMetadata.TryGetValue(name, out var past), $"input '{name}'");
        int[] dimensions = past!.Dimensions; // -1 where the graph leaves it open
        Require(
            past.ElementDataType == TensorElementType.Float && dimensions.Length == 4 && Fits(dimensions[1], shape.KvHeads) && Fits(dimensions[3], shape.HeadDim),
            $"'{name}' as f32 [rows, {shape.KvHeads}, capacity, {shape.HeadDim}]; it is {past.ElementDataType} [{string.Join(", ", dimensions)}]");
    }

    private static bool Fits(int dimension, int wanted) => dimension < 0 || dimension == wanted;

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new EngineGraphException($"The graph is not a decoder of the stated shape: expected {what}.");
        }
    }
}
