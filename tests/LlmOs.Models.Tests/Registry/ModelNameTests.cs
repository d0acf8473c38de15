using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Tests.Registry;

public class ModelNameTests
{
    public static TheoryData<string> Good => ["a", "llama-3.1_8b", "org/name", "0", new string('a', 64), $"{new string('a', 64)}/{new string('b', 64)}", "a..b", "imports"];

    public static TheoryData<string> Bad =>
    [
        "", "import", "A", "-a", ".a", "..", "../a", "a/../b", "/a", "a/", "a//b", "a/b/c", "a b", "a:1", "a@b", "a+b", "a\n", "a\0", "ä", "a\u202E",
        "a%2Fb", "a\\b", new string('a', 65), "ft:a:b:c:d", "\uD800",
    ];

    [Theory]
    [MemberData(nameof(Good))]
    public void A_name_in_the_published_form_is_taken(string name) => Assert.Equal(name, ModelName.Check(name));

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_name_that_could_be_mistaken_for_something_else_is_refused(string name)
    {
        var refusal = Assert.Throws<LlmOsException>(() => ModelName.Check(name));

        Assert.Equal((ErrorCode.InvalidRequest, "name"), (refusal.Code, refusal.Field));
        Assert.DoesNotContain(refusal.Message, c => char.IsControl(c) || char.IsSurrogate(c));
    }

    [Theory]
    [InlineData("latest", true)]
    [InlineData("v3", true)]
    [InlineData("3", false)]
    [InlineData("007", false)]
    [InlineData("a/b", false)]
    [InlineData("", false)]
    [InlineData("Latest", false)]
    public void Digits_alone_are_a_version_and_never_an_alias(string alias, bool good) => Assert.Equal(good, ModelName.IsAlias(alias));

    [Theory]
    [InlineData("ft:starter:proj:suffix:abc123", true)]
    [InlineData("ft:org/base:::abc123", true)]
    [InlineData("ft:starter:abc", false)]
    [InlineData("ft::p:s:i", false)]
    [InlineData("x:starter:p:s:i", false)]
    public void Only_the_names_of_fine_tuned_models_hold_colons(string name, bool good) => Assert.Equal(good, ModelName.IsName(name));

    [Theory]
    [InlineData("org%2Fname", "org/name")]
    [InlineData("org%2fname", "org/name")]
    [InlineData("name", "name")]
    public void A_slash_in_a_path_may_be_escaped(string path, string name) => Assert.Equal(name, ModelName.FromPath(path));
}
