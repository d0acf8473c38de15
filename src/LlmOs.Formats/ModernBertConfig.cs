namespace LlmOs.Formats;

/// <summary>What ModernBERT's configuration says besides what encoders have in common.</summary>
/// <param name="NormBias">Whether norms have offsets.</param>
/// <param name="HeadBias">A bias on the layer of the head.</param>
/// <param name="DecoderBias">A bias on the scores of tokens.</param>
/// <param name="MeanPooling">Whether a text's classifier reads the mean of its states instead of the first.</param>
/// <param name="HeadActivation">The function within the head.</param>
public sealed record ModernBertConfig(bool NormBias, bool HeadBias, bool DecoderBias, bool MeanPooling, Activation HeadActivation)
{
    /// <exception cref="ModelFormatException">An option has a value that is not implemented.</exception>
    public static ModernBertConfig Read(ConfigJson json)
    {
        var pooling = json.Text("classifier_pooling") ?? "cls";
        return pooling is "cls" or "mean"
            ? new ModernBertConfig(
                json.Flag("norm_bias") ?? false,
                json.Flag("classifier_bias") ?? false,
                json.Flag("decoder_bias") ?? true,
                pooling == "mean",
                Activations.Read(json, "classifier_activation", "gelu"))
            : throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option classifier_pooling = \"{pooling}\" is not supported; supported: cls and mean.");
    }
}
