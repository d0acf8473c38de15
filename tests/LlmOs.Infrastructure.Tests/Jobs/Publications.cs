using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Jobs;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>Rows by which a test sees that a result was published.</summary>
internal static class Publications
{
    public static JobPublish Publish(string name) => (db, _) =>
    {
        db.Add(new ApiKey { Id = name, Name = name, Prefix = "", Hash = name, Scopes = "", CreatedAt = DateTimeOffset.UnixEpoch });
        return Task.FromResult<object>(new { name });
    };

    public static async Task<List<string>> OfAsync(TestDatabase database)
    {
        await using var db = database.CreateDbContext();
        return await db.ApiKeys.Select(k => k.Name).ToListAsync();
    }
}
