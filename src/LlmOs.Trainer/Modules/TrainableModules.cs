using LlmOs.Models.Zoo;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>The module of each layout that can be trained.</summary>
internal static class TrainableModules
{
    /// <summary>A new module of these sizes: ids [B, T] to logits [B, T, V]. Its state dictionary has the published names.</summary>
    public static Module<Tensor, Tensor> New(DecoderSizes sizes) => sizes switch
    {
        LlamaSizes llama => new LlamaModule(llama),
        Gpt2Sizes gpt2 => new Gpt2Module(gpt2),
        _ => throw new NotSupportedException($"There is no module for {sizes.ModelType}."),
    };
}
