using System.Text.Json;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Preparation.Steps;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>Personal data in texts whose makers marked it.</summary>
public sealed class PiiTests
{
    [Theory]
    [InlineData("email", "EMAIL_ADDRESS", 0.99, 0.99)]
    [InlineData("card", "CREDIT_CARD", 0.99, 0.99)]
    [InlineData("iban", "IBAN_CODE", 0.99, 0.9)]
    [InlineData("ip", "IP_ADDRESS", 0.99, 0.99)]
    [InlineData("ssn", "US_SSN", 0.99, 0.99)]
    [InlineData("phone", "PHONE_NUMBER", 0.8, 0.95)]
    public async Task Marked_data_is_found_and_little_else(string kind, string type, double precision, double recall)
    {
        using var rows = JsonDocument.Parse(await File.ReadAllTextAsync(SharedFolder.Require("data", "pii-synthetic", "synth_even_rows.json"), TestContext.Current.CancellationToken));
        var (right, wrong, missed) = (0, 0, 0);
        foreach (var row in rows.RootElement.EnumerateArray())
        {
            var found = PiiFinder.Find(row.GetProperty("full_text").GetString()!, PiiFinder.Kinds).Where(f => f.Kind == kind).ToList();
            var marked = row.GetProperty("spans").EnumerateArray().Where(s => s.GetProperty("entity_type").GetString() == type)
                .Select(s => (Start: s.GetProperty("start_position").GetInt32(), End: s.GetProperty("end_position").GetInt32())).ToList();
            right += marked.Count(m => found.Exists(f => f.Start < m.End && m.Start < f.Start + f.Length));
            missed += marked.Count(m => !found.Exists(f => f.Start < m.End && m.Start < f.Start + f.Length));
            wrong += found.Count(f => !marked.Exists(m => f.Start < m.End && m.Start < f.Start + f.Length));
        }

        Assert.True(right >= precision * (right + wrong), $"precision: {right} of {right + wrong}");
        Assert.True(right >= recall * (right + missed), $"recall: {right} of {right + missed}");
    }

    [Theory]
    [InlineData("GB82 WEST 1234 5698 7654 32", true)]
    [InlineData("GB82 WEST 1234 5698 7654 33", false)]
    public void An_iban_has_its_check_digits(string text, bool isOne) => Assert.Equal(isOne, PiiFinder.IsIban(text));

    [Theory]
    [InlineData("He has <<200000-130000=70000>>70000 dollars")]
    [InlineData("2000-1500 = 500")]
    [InlineData("52.5200066 and 3.14159265358979")]
    [InlineData("10 20 30 40")]
    public void Sums_and_numbers_are_no_telephones(string text) => Assert.Empty(PiiFinder.Find(text, ["phone"]));

    [Theory]
    [InlineData("Call 01 23 45 67 89.")]
    [InlineData("Call +44 20 7946 0958 now")]
    [InlineData("(555) 123-4567")]
    [InlineData("555.123.4567")]
    public void Telephones_are_found(string text) => Assert.Single(PiiFinder.Find(text, ["phone"]));

    [Theory]
    [InlineData("4111-1111-1111-1111", true)]
    [InlineData("4111-1111-1111-1112", false)]
    [InlineData("0000000000000000", false)]
    public void A_card_has_its_check_digit(string text, bool isOne) => Assert.Equal(isOne, PiiFinder.IsCard(text));
}
