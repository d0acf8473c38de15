using LlmOs.Contracts;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>How an architecture is trained, as far as that needs no torch: the trainer has a module for the sizes that come out.</summary>
/// <param name="Title">For people: <c>GPT-2</c>.</param>
/// <param name="OfConfig">The sizes of a published configuration; null where that variant is served and not trained.</param>
/// <param name="OfShape">The sizes of a new model. Refuses by the request's field what the layout cannot have.</param>
public sealed record TrainableLayout(string Title, Func<ConfigJson, DecoderSizes?> OfConfig, Func<NewShape, DecoderSizes> OfShape);

/// <summary>A new model as it was asked for. The numbers that every layout has are checked; the rest of the request is the layout's.</summary>
public sealed record NewShape(ArchitectureSpec Spec, int Vocabulary, int Hidden, int Layers, int Heads, int Context)
{
    /// <summary>The widest feed-forward layer.</summary>
    public const int MaxIntermediate = 131_072;
}
