using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Tests.Http.Dialects;

public class KnownDialectsTests
{
    private static readonly Spoken Outer = new("outer", "/v1");
    private static readonly Spoken Inner = new("inner", "/v1/messages", "/inner");

    [Theory]
    [InlineData("/v1/completions", "outer")]
    [InlineData("/V1/Completions", "outer")]
    [InlineData("/v1", "outer")]
    [InlineData("/v1/messages", "inner")]
    [InlineData("/v1/messages/count", "inner")]
    [InlineData("/INNER", "inner")]
    [InlineData("/v1x", "llmos")]
    [InlineData("/api/v1/models", "llmos")]
    [InlineData("", "llmos")]
    public void A_path_without_an_endpoint_belongs_to_the_longest_prefix_in_whatever_case(string path, string name)
    {
        var dialects = new KnownDialects();
        dialects.Add(Outer);
        dialects.Add(Inner);

        Assert.Equal(name, dialects.OfPath(path).Name);
    }

    [Fact]
    public void An_endpoint_s_own_dialect_counts_before_its_path()
    {
        var dialects = new KnownDialects();
        dialects.Add(Outer);
        var http = new DefaultHttpContext { Request = { Path = "/v1/x" } };
        http.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(PlatformDialect.Instance, Inner), "x"));

        Assert.Same(Inner, dialects.Of(http));
    }

    [Fact]
    public void Two_dialects_cannot_have_the_same_path()
    {
        var dialects = new KnownDialects();
        dialects.Add(Outer);

        var fault = Assert.Throws<InvalidOperationException>(() => dialects.Add(new Spoken("other", "/V1")));

        Assert.Contains("'outer' and 'other'", fault.Message, StringComparison.Ordinal);
    }

    private sealed class Spoken(string name, params PathString[] prefixes) : IDialect
    {
        public string Name => name;

        public IReadOnlyList<PathString> Prefixes => prefixes;

        public StreamFraming Framing { get; } = new NdJson();

        public DialectError ErrorOf(LlmOsException refusal, string requestId) => new(Refusals.StatusOf(refusal.Code), "application/json", new { name });
    }
}
