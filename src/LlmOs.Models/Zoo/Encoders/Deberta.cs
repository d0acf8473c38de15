using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// DeBERTa (arXiv 2006.03654): version 2 with one layer for queries, keys and values, each distance a row, and layers of distances of
/// their own. Its numbers are those of transformers' Deberta classes.
/// </summary>
internal static class Deberta
{
    public static IReadOnlyList<Architecture> Architectures { get; } = DebertaV2.Family("deberta", "Deberta", Read);

    private static ModelConfig Read(ConfigJson json)
    {
        // transformers reads none of these for version 1.
        foreach (var option in new[] { "talking_head", "share_att_key", "position_buckets", "norm_rel_ebd", "conv_kernel_size" })
        {
            if (json.RawText(option) is { } value and not ("false" or "0" or "-1" or "\"none\""))
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option {option} = {value} is not supported for DeBERTa 1; supported: leaving it out.");
            }
        }

        var config = DebertaV2.Read(json);
        return config with { Disentangled = config.Disentangled! with { IsPacked = true } };
    }
}
