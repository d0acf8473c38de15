using System.Net;
using System.Net.Sockets;

namespace LlmOs.Infrastructure.Network;

/// <summary>
/// Which hosts the platform may call, and at which addresses. A host is allowed by its name; an address of this machine or
/// of a private network is refused whatever name led to it, unless the address itself is listed: <c>10.0.0.5</c>,
/// <c>10.1.0.0/16</c>, or <c>localhost</c> for this machine.
/// </summary>
public sealed class EgressRules
{
    private readonly HashSet<string> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _suffixes = [];
    private readonly List<IPNetwork> _networks = [];

    /// <param name="listed">The items of <c>LLMOS_EGRESS</c>: names, <c>*.name</c> for any below, addresses, networks.</param>
    public EgressRules(IReadOnlyList<string> listed)
    {
        foreach (var item in listed)
        {
            if (TryNetwork(item, out var network))
            {
                _networks.Add(network);
            }
            else if (item.StartsWith("*.", StringComparison.Ordinal))
            {
                _suffixes.Add(item[1..]);
            }
            else
            {
                _hosts.Add(item);
                if (item.Equals("localhost", StringComparison.OrdinalIgnoreCase))
                {
                    _networks.Add(IPNetwork.Parse("127.0.0.0/8"));
                    _networks.Add(IPNetwork.Parse("::1/128"));
                }
            }
        }
    }

    /// <summary>Whether the list names the host; an address is a host too.</summary>
    public bool AllowsHost(string host)
    {
        host = host.Trim('[', ']').TrimEnd('.');
        return IPAddress.TryParse(host, out var address)
            ? IsListed(address)
            : _hosts.Contains(host) || _suffixes.Exists(suffix => host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether a connection to the address may be made, for a host that is allowed.</summary>
    public bool AllowsAddress(IPAddress address) => IsPublic(address) || IsListed(address);

    /// <summary>Whether the list names the address itself or a network around it.</summary>
    public bool IsListed(IPAddress address)
    {
        var plain = Plain(address);
        return _networks.Exists(network => network.Contains(plain));
    }

    /// <summary>An item of the list as a network; an address alone is a network of one.</summary>
    public static bool TryNetwork(string item, out IPNetwork network)
    {
        var plain = item.Trim('[', ']');
        if (IPAddress.TryParse(plain, out var address))
        {
            address = Plain(address);
            network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
            return true;
        }

        return IPNetwork.TryParse(plain, out network);
    }

    /// <summary>Whether an address is one of the open internet: not of this machine, a private or shared network, a link, a group, or a reserved range.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var plain = Plain(address);
        return plain.AddressFamily == AddressFamily.InterNetwork
            ? !NotPublic4.Any(network => network.Contains(plain))
            : Global6.Contains(plain) && !NotPublic6.Any(network => network.Contains(plain));
    }

    /// <summary>The address behind forms that carry an IPv4 address within IPv6 (mapped, and translated by NAT64).</summary>
    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 && Nat64.Contains(address) ? new IPAddress(address.GetAddressBytes().AsSpan(12)) : address;
    }

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>What is assigned as global unicast; all else of IPv6 is local, special or unassigned.</summary>
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] NotPublic6 = Networks(
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"); // protocols and tunnels, examples, 6to4, examples

    /// <summary>The special-purpose registry of IANA.</summary>
    private static readonly IPNetwork[] NotPublic4 = Networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    private static IPNetwork[] Networks(params string[] texts) => [.. texts.Select(text => IPNetwork.Parse(text))];
}
