using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Apps.Studio;

/// <summary>Tells the registry which apps use a model.</summary>
internal sealed class AppModelUsers : IModelUsers
{
    public async Task<IReadOnlyList<ModelUse>> ListAsync(LlmOsDb db, string name, CancellationToken cancel) =>
        await db.Apps.AsNoTracking().Where(a => a.Model.StartsWith(name)).OrderBy(a => a.Slug).Select(a => new ModelUse("app", a.Slug, a.Model)).ToListAsync(cancel);
}
