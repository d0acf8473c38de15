using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Metering;

/// <summary><c>/api/v1/usage</c>: administrators see all records, others their own.</summary>
internal static class UsageEndpoints
{
    private const string Model = "model";
    private const string Day = "day";
    private const string ModelHelp = "A version, such as starter:1, or a name, which stands for all its versions.";

    public static void MapUsage(this IEndpointRouteBuilder routes)
    {
        var usage = routes.MapGroup("/api/v1/usage").WithTags("Usage").RequireScope(Scopes.Inference, Scopes.Read);
        usage.MapGet("/", List).WithName("ListUsage").WithSummary("Lists what each run of a model cost, the newest first.").ProducesProblem(400);
        usage.MapGet("/summary", Summarize).WithName("SummarizeUsage").WithSummary("Adds up what runs cost, by model, key, user, app or day.").ProducesProblem(400);
    }

    private static async Task<Ok<Page<UsageView>>> List(
        [Description("Runs that ended then or later.")] DateTimeOffset? since,
        [Description("Runs that ended before.")] DateTimeOffset? until,
        [StringLength(320), Description(ModelHelp)] string? model,
        [StringLength(64), Description("The id of a key.")] string? key,
        [AsParameters] Paging paging,
        ClaimsPrincipal user,
        UsageLedger ledger,
        LlmOsDb db,
        CancellationToken cancel)
    {
        await ledger.FlushAsync(cancel);
        var visible = Visible(db, user);
        if (paging.After is { } after)
        {
            var last = await visible.Where(r => r.Id == after).Select(r => (long?)r.Seq).SingleOrDefaultAsync(cancel) ?? throw paging.UnknownCursor("usage record");
            visible = visible.Where(r => r.Seq < last);
        }

        return TypedResults.Ok(await Filter(visible, since, until, model, key).OrderByDescending(r => r.Seq).ToPageAsync(paging.Size, r => r.ToView(), r => r.Id, cancel));
    }

    private static async Task<Ok<UsageSummary>> Summarize(
        [StringLength(16), Description("model (when it is left out), key, user, app or day.")] string? by,
        DateTimeOffset? since,
        DateTimeOffset? until,
        [StringLength(320), Description(ModelHelp)] string? model,
        [StringLength(64), Description("The id of a key.")] string? key,
        [Range(1, Paging.MaxLimit)] int? limit,
        ClaimsPrincipal user,
        UsageLedger ledger,
        LlmOsDb db,
        CancellationToken cancel)
    {
        by ??= Model;
        await ledger.FlushAsync(cancel);
        var records = Filter(Visible(db, user), since, until, model, key);
        var groups = Totals(records.GroupBy(KeyOf(by)));
        groups = by == Day ? groups.OrderByDescending(g => g.Value) : groups.OrderByDescending(g => g.Prompt + g.Generated).ThenBy(g => g.Value);
        var items = await groups.Take(limit ?? 100).ToListAsync(cancel);
        var total = await Totals(records.GroupBy(r => (string?)"")).SingleOrDefaultAsync(cancel);
        return TypedResults.Ok(new UsageSummary(by, items.ConvertAll(g => new UsageGroup(g.Value, g.ToContract())), (total ?? new Sums()).ToContract()));
    }

    private static IQueryable<UsageRecord> Visible(LlmOsDb db, ClaimsPrincipal user)
    {
        var records = db.UsageRecords.AsNoTracking();
        if (user.HasClaim(SessionClaims.Scope, Scopes.Admin))
        {
            return records;
        }

        var own = user.CallerId();
        return records.Where(r => r.KeyId == own || r.UserId == own);
    }

    private static IQueryable<UsageRecord> Filter(IQueryable<UsageRecord> records, DateTimeOffset? since, DateTimeOffset? until, string? model, string? key)
    {
        if (since is { } from)
        {
            records = records.Where(r => r.CreatedAt >= from);
        }

        if (until is { } to)
        {
            records = records.Where(r => r.CreatedAt < to);
        }

        if (model is not null)
        {
            var versions = model + ":";
            records = records.Where(r => r.Model == model || r.Model.StartsWith(versions));
        }

        return key is null ? records : records.Where(r => r.KeyId == key);
    }

    private static Expression<Func<UsageRecord, string?>> KeyOf(string by) => by switch
    {
        Model => r => r.Model,
        "key" => r => r.KeyId,
        "user" => r => r.UserId,
        "app" => r => r.App,
        Day => r => r.Day,
        _ => throw LlmOsException.Invalid("by", $"by: must be model, key, user, app or day, not '{by}'."),
    };

    private static IQueryable<Sums> Totals(IQueryable<IGrouping<string?, UsageRecord>> groups) => groups.Select(g => new Sums
    {
        Value = g.Key,
        Requests = g.LongCount(),
        Prompt = g.Sum(r => r.PromptTokens),
        Cached = g.Sum(r => r.CachedTokens),
        Generated = g.Sum(r => r.GeneratedTokens),
        QueueMs = g.Sum(r => r.QueueMs),
        PromptMs = g.Sum(r => r.PromptMs),
        DecodeMs = g.Sum(r => r.DecodeMs),
    });

    private sealed class Sums
    {
        public string? Value { get; init; }

        public long Requests { get; init; }

        public long Prompt { get; init; }

        public long Cached { get; init; }

        public long Generated { get; init; }

        public double QueueMs { get; init; }

        public double PromptMs { get; init; }

        public double DecodeMs { get; init; }

        public UsageTotals ToContract() => new(Requests, Prompt, Cached, Generated, QueueMs, PromptMs, DecodeMs);
    }
}
