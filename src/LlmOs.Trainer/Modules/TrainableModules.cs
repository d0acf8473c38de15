using System.Reflection;
using LlmOs.Models.Zoo;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>Says which sizes a module is made of. Its constructor takes them alone.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TrainsAttribute(Type sizes) : Attribute
{
    public Type Sizes { get; } = sizes;
}

/// <summary>Finds the module of a layout by its mark, so that a new one is a file and nothing else here.</summary>
internal static class TrainableModules
{
    private static readonly Dictionary<Type, Type> BySizes = typeof(TrainableModules).Assembly.GetTypes()
        .Select(type => (Module: type, Mark: type.GetCustomAttribute<TrainsAttribute>()))
        .Where(type => type.Mark is not null)
        .ToDictionary(type => type.Mark!.Sizes, type => type.Module);

    /// <summary>A new module of these sizes: ids [B, T] to logits [B, T, V]. Its state dictionary has the published names.</summary>
    public static Module<Tensor, Tensor> New(DecoderSizes sizes) => BySizes.TryGetValue(sizes.GetType(), out var module)
        ? (Module<Tensor, Tensor>)Activator.CreateInstance(module, BindingFlags.DoNotWrapExceptions, binder: null, [sizes], culture: null)!
        : throw new NotSupportedException($"There is no module for {sizes.ModelType}.");
}
