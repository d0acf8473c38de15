using LlmOs.Contracts;
using LlmOs.Models.Zoo;
using LlmOs.Trainer.Corpus;
using LlmOs.Trainer.Files;

namespace LlmOs.Trainer.Run;

/// <summary>Writes the files that stand beside the weights: configuration, tokenizer, card. Checkpoints and results get the same ones.</summary>
/// <param name="text">Where the tokenizer lies that the data was made with.</param>
/// <param name="baseFolder">The model whose training goes on; its own configuration is kept.</param>
internal sealed class ModelCompanions(DecoderSizes sizes, PreparedText text, string? baseFolder, TrainingRequest spec)
{
    /// <param name="half">Whether the weights are stored in f16.</param>
    public void Write(string folder, bool half)
    {
        if (baseFolder is null)
        {
            HuggingFaceFolder.WriteConfig(folder, sizes, text.EndToken, half);
            HuggingFaceFolder.WriteGenerationConfig(folder, text.EndToken);
        }
        else
        {
            HuggingFaceFolder.CopyConfig(baseFolder, folder, half);
            CopyIfThere(baseFolder, folder, "generation_config.json");
        }

        foreach (var file in PreparedText.TokenizerFiles)
        {
            CopyIfThere(text.Folder, folder, file);
        }

        if (!text.IsStored)
        {
            HuggingFaceFolder.WriteTokenizerConfig(folder, text.EndSpelling, sizes.Context, spec.ChatTemplate);
        }
        else if (spec.ChatTemplate is { } template)
        {
            // A file of its own goes before what the tokenizer's configuration holds.
            File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
        }

        HuggingFaceFolder.WriteCard(folder, spec.Name, spec.License, sizes, continued: baseFolder is not null);
    }

    private static void CopyIfThere(string from, string folder, string file)
    {
        if (File.Exists(Path.Combine(from, file)))
        {
            File.Copy(Path.Combine(from, file), Path.Combine(folder, file), overwrite: true);
        }
    }
}
