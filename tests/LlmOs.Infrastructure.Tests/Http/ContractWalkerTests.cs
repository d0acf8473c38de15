using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Infrastructure.Tests.Http;

public class ContractWalkerTests
{
    [Fact]
    public void A_good_record_passes() => Assert.Null(FaultOf(new CreateKeyRequest { Name = "laptop", Scopes = ["read"] }));

    [Theory]
    [InlineData("", "name")]
    [InlineData("a\0b", "name")]
    public void A_bad_text_names_its_field(string name, string field) => Assert.Equal(field, FaultOf(new CreateKeyRequest { Name = name })?.Field);

    [Fact]
    public void A_text_that_is_too_long_names_its_field() =>
        Assert.Equal("name", FaultOf(new CreateKeyRequest { Name = new string('x', 101) })?.Field);

    [Fact]
    public void Null_where_none_may_be_names_its_field() => Assert.Equal("name", FaultOf(new CreateKeyRequest { Name = null! })?.Field);

    [Fact]
    public void Items_of_a_list_are_named_by_their_place()
    {
        Assert.Equal("scopes[1]", FaultOf(new CreateKeyRequest { Name = "x", Scopes = ["read", new string('y', 81)] })?.Field);
        Assert.Equal("scopes[0]", FaultOf(new CreateKeyRequest { Name = "x", Scopes = [null!] })?.Field);
        Assert.Equal("scopes", FaultOf(new CreateKeyRequest { Name = "x", Scopes = [] })?.Field);
    }

    [Fact]
    public void All_fields_at_fault_are_told_at_once() =>
        Assert.Equal(["name", "scopes"], FaultOf(new CreateKeyRequest { Name = "", Scopes = [] })?.Errors?.Keys.Order());

    [Fact]
    public void A_text_nobody_bounded_is_bounded_all_the_same()
    {
        var request = new ImportRequest { Source = new string('x', TextLengthAttribute.Default + 1), Name = "m" };

        Assert.Equal("source", FaultOf(request)?.Field);
    }

    [Fact]
    public void A_union_is_named_as_a_whole_and_its_text_may_be_long()
    {
        var text = new string('x', TextLengthAttribute.Default + 1);

        Assert.Null(FaultOf(new Holder(text)));
    }

    private static LlmOsException? FaultOf(object value)
    {
        var faults = new Faults();
        if (value is Holder holder)
        {
            ContractWalker.Walk(holder.Prompt, "prompt", faults);
        }
        else
        {
            ContractWalker.Walk(value, "", faults);
        }

        return Record.Exception(faults.ThrowIfAny) as LlmOsException;
    }

    private sealed record Holder(PromptInput Prompt);
}
