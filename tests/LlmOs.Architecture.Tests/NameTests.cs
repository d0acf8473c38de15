using System.Reflection;
using System.Text.RegularExpressions;

namespace LlmOs.Architecture.Tests;

/// <summary>Bounds are called <c>Max...</c> and <c>Min...</c>, as elsewhere in the field.</summary>
public partial class NameTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Projects => [.. Tiers.Loaded];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_bound_is_called_most_or_least(string project) =>
        Assert.DoesNotContain(Tiers.Assembly(project).GetTypes().SelectMany(Names), name => Old().IsMatch(name[(name.LastIndexOf('.') + 1)..]));

    [Theory]
    [InlineData("Most", true)]
    [InlineData("MostRows", true)]
    [InlineData("leastScore", true)]
    [InlineData("Mostly", false)]
    [InlineData("MaxRows", false)]
    public void An_old_name_is_found(string name, bool isOld) => Assert.Equal(isOld, Old().IsMatch(name));

    private static IEnumerable<string> Names(Type type) =>
        type.GetMembers(All).Select(member => $"{type.Name}.{member.Name}")
            .Concat(type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)).SelectMany(method => method.GetParameters().Select(parameter => $"{type.Name}.{method.Name}.{parameter.Name}")));

    [GeneratedRegex("^(Most|most|Least|least)(?![a-z])")]
    private static partial Regex Old();
}
