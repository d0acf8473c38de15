using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Registry.Cards;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary><c>/api/v1/models</c>: models, their cards and aliases. Versions are in <see cref="VersionEndpoints"/>.</summary>
internal static class RegistryEndpoints
{
    public static void MapRegistry(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/v1/models").WithTags("Models");
        models.MapJobKind<ImportKind, ImportRequest>("/import").WithName("ImportModel").WithSummary("Imports a published model as a new version; answers with the job that does it.")
            .WithRequestExample("""{"source":"hf:HuggingFaceTB/SmolLM2-135M-Instruct","name":"smollm2-135m-instruct","precision":"f32","alias":"latest"}""");
        models.MapGet("/", List).WithName("ListModels").WithSummary("Lists models by name; query, tag and task narrow the list.").ProducesProblem(400);
        models.MapPost("/", Create).WithName("CreateModel").WithSummary("Makes a model without versions.")
            .ProducesProblem(400).ProducesProblem(409).WithRequestExample("""{"name":"my-model","card":"---\nlicense: mit\nlanguage: en\n---\n# My model\n","tags":{"team":"search"}}""");

        var one = new ModelPaths(models);
        one.Map("GET", "", Get, "GetModel", "Shows a model with its aliases, versions and tags.").ProducesProblem(404);
        one.Map("PATCH", "", Patch, "ChangeModel", "Changes tags, or takes a model out of use or back; If-Match guards against another writer.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(412).WithRequestExample("""{"tags":{"team":"search","old":null},"archived":false}""");
        one.Map("DELETE", "", Delete, "DeleteModel", "Deletes a model with its versions, unless something refers to it.").ProducesProblem(404).ProducesProblem(409);
        one.Map("GET", "/card", Card, "GetModelCard", "The model card: Markdown, safe HTML, and what its front matter states.").ProducesProblem(404);
        one.Map("PUT", "/card", SetCard, "SetModelCard", "Writes the model card; If-Match guards against another writer.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(412)
            .WithRequestExample("""{"markdown":"---\nlicense: mit\nlanguage: en\n---\n# My model\n\n## Limits\n\nIt knows fairy tales only.\n"}""");
        one.Map("DELETE", "/card", DeleteCard, "DeleteModelCard", "Forgets the card that was written here; the newest version's README.md is shown again.").ProducesProblem(404).ProducesProblem(412);
        one.Map("PUT", "/aliases/{alias}", SetAlias, "SetModelAlias", "Points an alias at a version; with expected only if it points there now.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithRequestExample("""{"version":3,"expected":2,"reason":"better on the support questions"}""");
        one.Map("GET", "/aliases/{alias}", Alias, "GetModelAlias", "What an alias points at and every move it made, the newest first.").ProducesProblem(400).ProducesProblem(404);
        one.Map("DELETE", "/aliases/{alias}", DeleteAlias, "DeleteModelAlias", "Takes an alias away; with expected only if it points there now.").ProducesProblem(404).ProducesProblem(409);
        one.Map("POST", "/aliases/{alias}/rollback", RollBack, "RollBackModelAlias", "Points an alias back at what it pointed at before; again, one step further back.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithRequestExample("""{"expected":3,"reason":"worse on long questions"}""");
        one.MapVersions();
    }

    private static async Task<Ok<Page<ModelView>>> List(
        [StringLength(256)] string? query,
        [StringLength(321)] string? tag,
        [StringLength(64)] string? task,
        bool? archived,
        [AsParameters] Paging paging,
        LlmOsDb db,
        CancellationToken cancel) =>
        TypedResults.Ok(await ModelSearch.PageAsync(db, new ModelQuery(query, tag, task, archived ?? false), paging, cancel));

    private static async Task<Created<ModelView>> Create(CreateModelRequest request, LlmOsDb db, ModelRegistry registry, CardPages pages, CancellationToken cancel)
    {
        if (request.Card is { } card)
        {
            await ModelCards.CheckAsync(card, "card", text => pages.OfAsync(text, cancel));
        }

        await registry.CreateAsync(db, request, cancel);
        return TypedResults.Created($"/api/v1/models/{Uri.EscapeDataString(request.Name)}", (await ModelSearch.FindAsync(db, request.Name, cancel)).View);
    }

    private static async Task<Ok<ModelView>> Get(string name, HttpResponse response, LlmOsDb db, CancellationToken cancel)
    {
        var (view, version) = await ModelSearch.FindAsync(db, name, cancel);
        response.Headers.ETag = EntityTags.Of(version);
        return TypedResults.Ok(view);
    }

    private static async Task<Ok<ModelView>> Patch(
        string name,
        ModelPatch request,
        [FromHeader(Name = "If-Match"), StringLength(200)] string? ifMatch,
        HttpResponse response,
        LlmOsDb db,
        ModelArchive archive,
        CancellationToken cancel)
    {
        await ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            EntityTags.Require(ifMatch, model.RowVersion - 1); // taking the lock raised it by one
            if (request.Tags is { } changes)
            {
                var tagged = await db.Models.Include(m => m.Tags).SingleAsync(m => m.Id == model.Id, cancel);
                ModelTags.Merge(tagged.Tags, changes, t => t.Key, (t, value) => t.Value = value, (key, value) => new ModelTag { Key = key, Value = value });
                await db.SaveChangesAsync(cancel);
            }

            return request.Archived is { } archived && await archive.SetArchivedAsync(db, name, archived, cancel);
        }, cancel);
        return await Get(name, response, db, cancel);
    }

    private static async Task<NoContent> Delete(string name, LlmOsDb db, ModelArchive archive, CancellationToken cancel)
    {
        await archive.DeleteAsync(db, name, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<CardView>> Card(string name, HttpResponse response, LlmOsDb db, ArtifactStore store, CardPages pages, CancellationToken cancel)
    {
        var (view, version) = await ModelSearch.FindAsync(db, name, cancel);
        response.Headers.ETag = EntityTags.Of(version);
        var (markdown, source) = await CardSource.ReadAsync(db, store, view, cancel);
        return TypedResults.Ok(await ModelCards.ReadAsync(name, markdown, source, text => pages.OfAsync(text, cancel)));
    }

    private static async Task<Ok<CardView>> SetCard(
        string name,
        CardRequest request,
        [FromHeader(Name = "If-Match"), StringLength(200)] string? ifMatch,
        HttpResponse response,
        LlmOsDb db,
        ArtifactStore store,
        CardPages pages,
        CancellationToken cancel)
    {
        await ModelCards.CheckAsync(request.Markdown, "markdown", text => pages.OfAsync(text, cancel));
        return await WriteCardAsync(name, request.Markdown, ifMatch, response, db, store, pages, cancel);
    }

    private static Task<Ok<CardView>> DeleteCard(
        string name, [FromHeader(Name = "If-Match"), StringLength(200)] string? ifMatch, HttpResponse response, LlmOsDb db, ArtifactStore store, CardPages pages, CancellationToken cancel) =>
        WriteCardAsync(name, null, ifMatch, response, db, store, pages, cancel);

    private static async Task<Ok<CardView>> WriteCardAsync(string name, string? card, string? ifMatch, HttpResponse response, LlmOsDb db, ArtifactStore store, CardPages pages, CancellationToken cancel)
    {
        await ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            EntityTags.Require(ifMatch, model.RowVersion - 1);
            return await db.Models.Where(m => m.Id == model.Id).ExecuteUpdateAsync(set => set.SetProperty(m => m.Card, card), cancel);
        }, cancel);
        return await Card(name, response, db, store, pages, cancel);
    }

    private static async Task<Ok<AliasView>> SetAlias(string name, string alias, AliasRequest request, ClaimsPrincipal user, LlmOsDb db, ModelRegistry registry, CancellationToken cancel) =>
        TypedResults.Ok(await registry.SetAliasAsync(db, name, alias, request, user.CallerId(), cancel));

    private static async Task<Ok<AliasView>> RollBack(string name, string alias, RollBackRequest request, ClaimsPrincipal user, LlmOsDb db, ModelRegistry registry, CancellationToken cancel) =>
        TypedResults.Ok(await registry.RollBackAliasAsync(db, name, alias, request, user.CallerId(), cancel));

    private static async Task<NoContent> DeleteAlias(
        string name, string alias, [Range(1, int.MaxValue)] int? expected, ClaimsPrincipal user, LlmOsDb db, ModelRegistry registry, CancellationToken cancel)
    {
        await registry.DeleteAliasAsync(db, name, alias, expected, user.CallerId(), cancel);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<AliasHistoryView>> Alias(
        string name, string alias, [AsParameters] NumberedPaging paging, LlmOsDb db, CancellationToken cancel)
    {
        var model = await db.Models.Where(m => m.Name == name && m.LastVersion >= 0).Select(m => (long?)m.Id).SingleOrDefaultAsync(cancel) ?? throw ModelRegistry.NoModel(name);
        var version = await db.ModelAliases.Where(a => a.ModelId == model && a.Name == alias).Select(a => (int?)a.Version).SingleOrDefaultAsync(cancel);
        var before = paging.After ?? long.MaxValue;
        var changes = await db.AliasChanges.AsNoTracking().Where(c => c.ModelId == model && c.Alias == alias && c.Id < before)
            .OrderByDescending(c => c.Id).Take(paging.Size + 1)
            .Select(c => new AliasChangeView(c.Id, c.Kind, c.From, c.To, c.By, c.Reason, c.At)).ToListAsync(cancel);
        if (version is null && changes.Count == 0)
        {
            throw ModelRegistry.NoAlias(name, alias);
        }

        var page = changes.ToPage(paging.Size, change => change, change => $"{change.Id}");
        return TypedResults.Ok(new AliasHistoryView(name, alias, version, page.Items, page.Next));
    }
}
