using System.Security.Claims;
using LlmOs.Engine;
using LlmOs.Infrastructure.Access;

namespace LlmOs.Models.Generation;

/// <summary>On whose account a model runs. What does not apply is null.</summary>
/// <param name="KeyId">The key that was presented.</param>
/// <param name="UserId">The user who signed in.</param>
/// <param name="App">The slug of the app that asks.</param>
/// <param name="JobId">The job that asks.</param>
public sealed record GenerationCaller(string? KeyId = null, string? UserId = null, string? App = null, string? JobId = null)
{
    /// <summary>Who sent a request, as its claims say it.</summary>
    public static GenerationCaller Of(ClaimsPrincipal user) => user.CallerId() switch
    {
        null => new GenerationCaller(),
        var id when id == Caller.Nobody.KeyId => new GenerationCaller(),
        var id when CallerClaims.IsUser(id) => new GenerationCaller(UserId: id),
        var id => new GenerationCaller(KeyId: id),
    };

    public static GenerationCaller OfJob(string id) => new(JobId: id);

    /// <summary>How the engine tells callers apart. Whoever is not known shares with others who are not, of the same app if it is one.</summary>
    public EngineCaller ToEngine() => JobId is not null
        ? new EngineCaller($"job:{JobId}", WorkClass.Batch)
        : new EngineCaller(KeyId is not null ? $"key:{KeyId}" : UserId is not null ? $"user:{UserId}" : $"app:{App}");
}
