namespace LlmOs.Architecture.Tests;

/// <summary>The arrows between tiers and between the features of a tier, by the types that each type names.</summary>
public class TypeArrowTests
{
    private const string Planted = "LlmOs.Architecture.Tests.Planted";

    /// <summary>Names the server's assembly as a text: migrations lie with the only process that migrates.</summary>
    private const string NamesTheServerAsText = "LlmOs.Infrastructure.Storage.ProviderOptions";

    public static TheoryData<string> Projects => [.. Tiers.Loaded];

    public static TheoryData<string> Features => [.. Tiers.Features.Keys];

    public static TheoryData<string> Libraries => [.. Tiers.Libraries.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_tier_names_no_type_of_a_tier_that_it_does_not_know(string project)
    {
        var unknown = Tiers.References.Keys.Where(other => other != project).Except(Tiers.Reachable(project)).ToArray();

        var broken = Arrows.Broken(Tiers.Assembly(project), project, unknown);

        Assert.True(Arrows.Count(Tiers.Assembly(project), project) > 0, $"{project} has no types.");
        Assert.Empty(broken.Except([NamesTheServerAsText]));
    }

    [Theory]
    [MemberData(nameof(Features))]
    public void A_feature_names_no_type_of_a_feature_above_it(string feature)
    {
        var assembly = Tiers.Assembly(Tiers.ProjectOf(feature));

        var broken = Arrows.Broken(assembly, feature, Tiers.Features[feature]);

        Assert.True(Arrows.Count(assembly, feature) > 0, $"{feature} has no types; does the folder have another name now?");
        Assert.All(Tiers.Features[feature], above => Assert.True(Arrows.Count(Tiers.Assembly(Tiers.ProjectOf(above)), above) > 0, $"{above} has no types."));
        Assert.Empty(broken);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_library_is_named_only_by_the_projects_that_own_it(string library)
    {
        var broken = Tiers.Loaded.Except(Tiers.Libraries[library]).SelectMany(project => Arrows.Broken(Tiers.Assembly(project), project, [library]));

        Assert.Empty(broken);
        Assert.NotEmpty(Arrows.Broken(Tiers.Assembly(Tiers.Libraries[library][0]), Tiers.Libraries[library][0], [library]));
    }

    [Fact]
    public void A_planted_violation_is_found_wherever_it_stands()
    {
        var broken = Arrows.Broken(typeof(TypeArrowTests).Assembly, $"{Planted}.Lower", [$"{Planted}.Upper"]);

        Assert.Equal(
            ["Argument", "Async", "Body", "Derived", "Field", "Generic", "Lambda"],
            broken.Select(name => name.Split('.', '/', '+')[^1]).Where(name => !name.Contains('<', StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_namespace_that_only_begins_alike_is_another_one() =>
        Assert.Empty(Arrows.Broken(typeof(TypeArrowTests).Assembly, $"{Planted}.Lower", [$"{Planted}.Upp"]));
}
