using LlmOs.Testing;
using Mono.Cecil;

namespace LlmOs.Architecture.Tests;

/// <summary>
/// TorchSharp frees the native numbers that its operators make whenever the garbage collector comes, in the middle of a call
/// too. So the trainer computes with numbers through <c>Arithmetic</c>, which keeps them.
/// </summary>
public class TorchNumbersTests
{
    private const string Keeper = "LlmOs.Trainer.Modules.Arithmetic";
    private const string Tensor = "TorchSharp.torch/Tensor";

    /// <summary>They multiply what is added by a 1 of their own, or raise to a 2 of their own.</summary>
    private static readonly string[] MakeNumbers = ["op_Addition", "op_Subtraction", "add", "add_", "sub", "sub_", "subtract", "square", "square_"];

    private static readonly string[] Operators = ["op_Multiply", "op_Division", "op_Modulus"];

    [Fact]
    public void The_trainer_leaves_no_number_to_the_garbage_collector() => Assert.Empty(Careless(exempt: Keeper));

    [Fact]
    public void The_rule_sees_the_numbers_that_are_made_where_they_are_kept() =>
        Assert.Contains($"{Keeper}.Times makes a number by TorchSharp.Scalar.op_Implicit", Careless(exempt: ""));

    private static List<string> Careless(string exempt)
    {
        var build = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        using var module = ModuleDefinition.ReadModule(Path.Combine(SharedFolder.Repository, "artifacts", "bin", "LlmOs.Trainer", build, "LlmOs.Trainer.dll"));
        return
        [
            .. module.GetTypes()
                .Where(type => type.FullName != exempt)
                .SelectMany(type => type.Methods)
                .Where(method => method.HasBody)
                .SelectMany(method => method.Body.Instructions
                    .Select(i => i.Operand)
                    .OfType<MethodReference>()
                    .Where(Makes)
                    .Select(called => $"{method.DeclaringType.FullName}.{method.Name} makes a number by {called.DeclaringType.FullName}.{called.Name}"))
                .Distinct(),
        ];
    }

    private static bool Makes(MethodReference called) => called.DeclaringType.FullName switch
    {
        "TorchSharp.Scalar" => called.Name == "op_Implicit",
        Tensor or "TorchSharp.torch" when called.Parameters.Any(p => p.ParameterType.FullName == "TorchSharp.Scalar") => false, // whoever made it is seen
        Tensor or "TorchSharp.torch" => MakeNumbers.Contains(called.Name)
            || (Operators.Contains(called.Name) && called.Parameters.Any(p => p.ParameterType.FullName != Tensor)),
        _ => false,
    };
}
