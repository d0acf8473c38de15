using System.Reflection;
using NetArchTest.Rules;

namespace LlmOs.Architecture.Tests;

/// <summary>Finds types that name what they may not: in a signature, a body, a lambda, an async method or a generic argument.</summary>
internal static class Arrows
{
    /// <param name="from">The namespace that is looked at, with those below it.</param>
    /// <param name="mayNotName">Namespaces; those below them are meant too.</param>
    /// <returns>The full names of the types at fault.</returns>
    public static IReadOnlyList<string> Broken(Assembly assembly, string from, IReadOnlyCollection<string> mayNotName)
    {
        if (mayNotName.Count == 0)
        {
            return [];
        }

        var result = Types.InAssembly(assembly).That().ResideInNamespace(from).ShouldNot().HaveDependencyOnAny([.. mayNotName]).GetResult();
        return [.. (result.FailingTypeNames ?? []).Order(StringComparer.Ordinal)];
    }

    /// <summary>How many types a rule looks at, so that one for a namespace that is gone does not pass unseen.</summary>
    public static int Count(Assembly assembly, string from) => Types.InAssembly(assembly).That().ResideInNamespace(from).GetTypes().Count();
}
