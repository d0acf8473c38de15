using System.Text.Json;
using LlmOs.Testing;
using LlmOs.Tools.Evaluation;

namespace LlmOs.Tools.Tests.Evaluation;

public class StatisticsTests
{
    [Fact]
    public void McNemars_test_equals_the_exact_binomial()
    {
        foreach (var row in Rows("mcnemar"))
        {
            Assert.Equal(row.GetProperty("exact_p").GetDouble(), Statistics.McNemarExact(row.GetProperty("only_a_right").GetInt32(), row.GetProperty("only_b_right").GetInt32()), 1e-9);
        }

        Assert.Equal(1, Statistics.McNemarExact(0, 0));
        Assert.InRange(Statistics.McNemarExact(4_000, 4_300), 5e-4, 2e-3); // where 2^-n is no number
    }

    [Fact]
    public void The_permutation_test_of_few_pairs_equals_the_enumeration()
    {
        foreach (var row in Rows("paired"))
        {
            Assert.Equal(row.GetProperty("sign_flip_p_two_sided").GetDouble(), Statistics.PermutationOfSigns(Differences(row)), 1e-9);
        }
    }

    [Fact]
    public void With_many_pairs_it_comes_near_the_enumeration()
    {
        var row = Rows("paired")[0];

        // A difference of 0 changes no sum, so the exact value stays.
        var random = Statistics.PermutationOfSigns([.. Differences(row), .. new double[20]]);

        Assert.Equal(row.GetProperty("sign_flip_p_two_sided").GetDouble(), random, 0.01);
    }

    [Fact]
    public void The_bootstraps_interval_equals_scipys()
    {
        var section = Section("bootstrap_random");
        var sample = Numbers(section.GetProperty("sample"));
        var expected = section.GetProperty("rows").EnumerateArray().First(r => r.GetProperty("method").GetString() == "percentile");

        var (low, high) = Statistics.BootstrapRatio(sample, [.. sample.Select(_ => 1.0)]);

        Assert.Equal(expected.GetProperty("low").GetDouble(), low, 0.03);
        Assert.Equal(expected.GetProperty("high").GetDouble(), high, 0.03);
        Assert.Equal((low, high), Statistics.BootstrapRatio(sample, [.. sample.Select(_ => 1.0)])); // the same chance each time
    }

    private static List<JsonElement> Rows(string section) => [.. Section(section).GetProperty("rows").EnumerateArray()];

    private static JsonElement Section(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "metrics", "stats.json"))).RootElement.GetProperty(name);

    private static List<double> Differences(JsonElement row) => [.. Numbers(row.GetProperty("b")).Zip(Numbers(row.GetProperty("a")), (b, a) => b - a)];

    private static List<double> Numbers(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetDouble())];
}
