using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Server.Http;
using Microsoft.AspNetCore.Components.Authorization;

namespace LlmOs.Server.InProcess;

/// <summary>Sends a client's requests into the pipeline of this process, as the person who is signed in to the console.</summary>
internal sealed class InProcessHandler(InProcessPipeline pipeline, AuthenticationStateProvider signedIn, Sessions sessions) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var person = await signedIn.GetAuthenticationStateAsync();
        var session = person.User.FindFirstValue(SessionClaims.Id);
        var caller = new InProcessCaller(person.User.FindFirstValue(KeyAuthentication.KeyClaim), person.User.FindFirstValue(SessionClaims.Stamp), session);
        var content = request.Content is null ? Stream.Null : await request.Content.ReadAsStreamAsync(cancellationToken);
        var exchange = new InProcessExchange(request, content, caller);
        await using var abort = cancellationToken.Register(exchange.Abort);
        if (session is not null)
        {
            exchange.EndWith(sessions.Ended(session)); // signing out, in whichever tab, ends what this one is doing
        }

        // On another thread: the page's circuit waits for the answer and cannot do the work as well.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(() => pipeline.RunAsync(exchange), CancellationToken.None);
        }

        return await exchange.Response;
    }
}
