using System.Net;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Network;

namespace LlmOs.Infrastructure.Tests.Network;

public sealed class EgressTests
{
    [Theory]
    [InlineData("huggingface.co", true)]
    [InlineData("HuggingFace.co", true)]
    [InlineData("huggingface.co.", true)]
    [InlineData("cdn-lfs.huggingface.co", true)]
    [InlineData("cas-bridge.xethub.hf.co", true)]
    [InlineData("nothuggingface.co", false)]
    [InlineData("huggingface.co.evil.test", false)]
    [InlineData("hf.co", false)]
    [InlineData("127.0.0.1", false)]
    public void Hosts_are_allowed_by_name(string host, bool allowed) =>
        Assert.Equal(allowed, new EgressRules(LlmOsSettings.DefaultEgress).AllowsHost(host));

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("64:ff9b::808:808", true)]
    [InlineData("2002:a00:1::", false)]
    [InlineData("2001:0:1::", false)]
    [InlineData("ff02::1", false)]
    public void Only_addresses_of_the_open_internet_are_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, EgressRules.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public void A_private_address_counts_once_it_is_listed_itself()
    {
        var rules = new EgressRules(["hub.internal", "10.0.0.5", "192.168.7.0/24", "fd00::/8"]);

        Assert.True(rules.AllowsAddress(IPAddress.Parse("10.0.0.5")));
        Assert.True(rules.AllowsAddress(IPAddress.Parse("::ffff:10.0.0.5")));
        Assert.True(rules.AllowsAddress(IPAddress.Parse("192.168.7.9")));
        Assert.True(rules.AllowsAddress(IPAddress.Parse("fd12::1")));
        Assert.False(rules.AllowsAddress(IPAddress.Parse("10.0.0.6")));
        Assert.True(rules.AllowsHost("10.0.0.5"));
        Assert.False(rules.AllowsHost("10.0.0.6"));
        Assert.False(new EgressRules([]).AllowsHost("huggingface.co"));
    }

    [Theory]
    [InlineData("http://example.org/")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("ftp://example.org/")]
    [InlineData("file:///etc/passwd")]
    public void What_is_not_allowed_is_refused_before_anybody_is_asked(string uri)
    {
        using var egress = new Egress(new EgressRules(["example.org"]), (_, _) => throw new InvalidOperationException("asked"));

        Assert.Equal(ErrorCode.NotAllowed, Assert.Throws<LlmOsException>(() => egress.Check(new Uri(uri))).Code);
    }

    /// <summary>The name passes every check of names; what counts is the address at the moment of the connection.</summary>
    [Fact]
    public async Task A_name_that_comes_to_mean_this_machine_is_not_connected_to()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        IPAddress[][] answers = [[IPAddress.Loopback], [IPAddress.Parse("::ffff:127.0.0.1")], [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("169.254.169.254")]];
        foreach (var answer in answers)
        {
            using var egress = new Egress(new EgressRules(["rebound.test"]), (_, _) => Task.FromResult(answer));

            var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
                egress.SendAsync(new Uri($"https://rebound.test:{port}/"), uri => new HttpRequestMessage(HttpMethod.Get, uri), CancellationToken.None));

            Assert.Equal(ErrorCode.NotAllowed, refusal.Code);
            Assert.Contains("rebound.test", refusal.Message, StringComparison.Ordinal);
        }

        Assert.False(listener.Pending());
    }
}
