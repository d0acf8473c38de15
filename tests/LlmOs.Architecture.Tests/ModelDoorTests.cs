using LlmOs.Engine;
using Mono.Cecil;

namespace LlmOs.Architecture.Tests;

/// <summary>One door to a model: whoever wants something of one asks <c>IGenerationService</c>, so that nothing runs unmetered.</summary>
public class ModelDoorTests
{
    /// <summary>Holding one of these is holding a model.</summary>
    private static readonly string[] Held =
    [
        "LlmOs.Models.Loading.ModelLease",
        "LlmOs.Models.Loading.LoadedGraph",
        "LlmOs.Models.Loading.LoadedModel",
        "LlmOs.Models.Loading.LoadedEncoder",
        "LlmOs.Engine.InferenceEngine",
        "LlmOs.Engine.EncoderEngine",
        "LlmOs.Engine.EngineSequence",
        "LlmOs.Engine.EngineRun",
        "LlmOs.Engine.EngineRun`1",
    ];

    private static readonly string[] Rooms = ["LlmOs.Models.Generation", "LlmOs.Models.Loading"];

    public static TheoryData<string> Assemblies =>
        [.. Directory.GetFiles(AppContext.BaseDirectory, "LlmOs.*.dll").Select(Path.GetFileName).OfType<string>()
            .Where(f => !f.EndsWith(".Tests.dll", StringComparison.Ordinal) && f is not ("LlmOs.Engine.dll" or "LlmOs.Testing.dll"))];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Nobody_but_generation_holds_a_loaded_model(string assembly) => Assert.Empty(Holders(assembly, Rooms));

    [Fact]
    public void The_rule_sees_a_type_that_takes_a_model_within_an_async_method()
    {
        var holders = Holders(Path.GetFileName(typeof(SecretDoor).Assembly.Location), Rooms);

        Assert.Contains($"{typeof(SecretDoor).FullName} names LlmOs.Engine.InferenceEngine", holders);
    }

    [Fact]
    public void The_rule_sees_the_leases_of_the_door_itself()
    {
        var holders = Holders("LlmOs.Models.dll", rooms: ["LlmOs.Models.Loading"]);

        Assert.Contains("LlmOs.Models.Generation.GenerationService names LlmOs.Models.Loading.ModelLease", holders);
        Assert.Contains("LlmOs.Models.Generation.ProbeRun names LlmOs.Engine.InferenceEngine", holders);
    }

    private static List<string> Holders(string assembly, IReadOnlyList<string> rooms)
    {
        using var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, assembly));
        return
        [
            .. module.GetTypes()
                .Select(type => (Owner: Outermost(type), Type: type))
                .Where(t => !rooms.Contains(t.Owner.Namespace))
                .SelectMany(t => TypeNames.In(t.Type).Intersect(Held).Select(name => $"{t.Owner.FullName} names {name}"))
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The type that somebody wrote: lambdas and async methods become types within it.</summary>
    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}

/// <summary>What the rule forbids: no signature shows it.</summary>
internal static class SecretDoor
{
    public static async Task<int> CountAsync(object engine)
    {
        await Task.Yield();
        return ((InferenceEngine)engine).Slots;
    }
}
