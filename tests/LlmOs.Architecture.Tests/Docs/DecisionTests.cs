namespace LlmOs.Architecture.Tests.Docs;

/// <summary>docs/adr/README.md lists every decision as its page states it.</summary>
public class DecisionTests
{
    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateFiles(Documents.At("docs/adr"), "*.md").Select(file => Path.GetFileName(file)).Where(name => name != "README.md").Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_decision_has_a_number_a_status_and_its_line_in_the_index(string page)
    {
        var text = Documents.Read($"docs/adr/{page}");
        var heading = Decisions.HeadingOf(text);
        var status = Decisions.StatusOf(text);

        Assert.True(heading is not null, "The first line must be '# 0123 Title'.");
        Assert.True(status is not null, "A line 'Status: accepted' (or 'superseded by 0123') is missing.");
        Assert.StartsWith(heading.Value.Number + "-", page, StringComparison.Ordinal);
        Assert.Contains($"| [{heading.Value.Number}]({page}) | {heading.Value.Title} | {status} |\n", Documents.Read("docs/adr/README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_is_given_once() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Documents.At("docs/adr"), "0*.md").CountBy(file => Path.GetFileName(file)[..4]), number => number.Value > 1);

    [Fact]
    public void The_index_names_no_decision_that_is_not_there() =>
        Assert.All(DocumentNames.Links(Documents.Read("docs/adr/README.md")), link => Assert.True(File.Exists(Documents.At($"docs/adr/{link}")), link));
}
