using System.Net;
using System.Net.Sockets;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Network;

/// <summary>
/// The only way in which the platform calls other hosts. Each address of a call and of its redirects is checked
/// against <see cref="EgressRules"/>, and again when the connection is made, at the address that it is made to: a name that
/// resolves differently the second time gains nothing.
/// </summary>
/// <remarks>Proxies of the environment are not used: behind one, addresses could not be checked.</remarks>
public sealed class Egress : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly EgressRules _rules;
    private readonly HttpClient _http;

    public Egress(LlmOsSettings settings)
        : this(new EgressRules(settings.Egress), (host, cancel) => Dns.GetHostAddressesAsync(host, cancel))
    {
    }

    /// <param name="resolve">How names become addresses.</param>
    internal Egress(EgressRules rules, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
    {
        _rules = rules;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 64, // KB
            ConnectCallback = async (context, cancel) => await ConnectAsync(context.DnsEndPoint, resolve, cancel),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // downloads are long; the reader notices when no bytes come
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("llmos");
    }

    /// <summary>Refuses an address by what can be seen of it without asking anybody.</summary>
    /// <exception cref="LlmOsException">The scheme or the host is not allowed.</exception>
    public void Check(Uri uri, string? field = null)
    {
        if (!_rules.AllowsHost(uri.IdnHost))
        {
            throw new LlmOsException(ErrorCode.NotAllowed, $"The host '{Show(uri)}' may not be called.") { Field = field, Hint = "LLMOS_EGRESS lists the hosts that may." };
        }

        // Without encryption anybody on the way may change what comes. The operator allows it by listing the address.
        var isListed = IPAddress.TryParse(uri.IdnHost, out var address) ? _rules.IsListed(address) : uri.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        if (uri.Scheme != Uri.UriSchemeHttps && !(uri.Scheme == Uri.UriSchemeHttp && isListed))
        {
            throw new LlmOsException(ErrorCode.NotAllowed, $"'{uri.Scheme}:' is not used to call '{Show(uri)}'; expected https.") { Field = field, Hint = "http is used for addresses that LLMOS_EGRESS lists as such." };
        }
    }

    /// <summary>Sends a request and follows its redirects, each checked like the first. The content is not buffered.</summary>
    /// <param name="make">Makes the request for an address; it decides by the address what to send along, such as a token.</param>
    /// <exception cref="LlmOsException">An address is not allowed.</exception>
    /// <exception cref="HttpRequestException">The host does not answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri uri, Func<Uri, HttpRequestMessage> make, CancellationToken cancel)
    {
        for (var hop = 0; ; hop++)
        {
            Check(uri);
            var response = await SendOnceAsync(make(uri), cancel);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            if (hop == MaxRedirects)
            {
                throw new LlmOsException(ErrorCode.NotAllowed, $"'{Show(uri)}' redirects more than {MaxRedirects} times.");
            }

            uri = new Uri(uri, location);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            }
            catch (HttpRequestException failure) when (failure.InnerException is LlmOsException refusal)
            {
                throw new LlmOsException(refusal.Code, refusal.Message, failure) { Hint = refusal.Hint };
            }
        }
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint target, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancel)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await resolve(target.Host, cancel);
        var allowed = addresses.Where(_rules.AllowsAddress).ToArray();
        if (allowed.Length == 0)
        {
            throw addresses.Length == 0
                ? new SocketException((int)SocketError.HostNotFound)
                : new LlmOsException(ErrorCode.NotAllowed, $"The host '{target.Host}' has an address of this machine or of a private network, which may not be called.")
                {
                    Hint = "LLMOS_EGRESS may list the address itself.",
                };
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Show(Uri uri) => uri.IdnHost.Length > 100 ? uri.IdnHost[..100] + "..." : uri.IdnHost;
}
