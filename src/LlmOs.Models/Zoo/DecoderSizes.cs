using System.Text.Json;

namespace LlmOs.Models.Zoo;

/// <summary>The sizes that every trainable decoder has, whatever its layout; a layout adds its own.</summary>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Hidden">Width of the model.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Query heads; they share out the width.</param>
/// <param name="Intermediate">Width of the feed-forward layer.</param>
/// <param name="Context">Maximum tokens of a window.</param>
/// <param name="TiedHead">Whether the embedding is also the output head.</param>
public abstract record DecoderSizes(int Vocabulary, int Hidden, int Layers, int Heads, int Intermediate, int Context, bool TiedHead)
{
    public int HeadDim => Hidden / Heads;

    /// <summary><c>model_type</c> of the published configuration.</summary>
    public abstract string ModelType { get; }

    /// <summary>Weights of the model; a tied head counts once.</summary>
    public abstract long Parameters { get; }

    /// <summary>Whether AdamW's decay applies to the weight of that name: matrices other than embeddings.</summary>
    public abstract bool Decays(string weight);

    /// <summary>Writes what config.json holds of the layout itself; what every model has is written by the caller.</summary>
    public abstract void WriteConfig(Utf8JsonWriter json);
}
