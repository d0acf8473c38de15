using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

internal static class JobEndpoints
{
    private const string SpecField = "spec";

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/api/v1/jobs").WithTags("Jobs");
        jobs.MapGet("/", List).WithName("ListJobs").WithSummary("Lists jobs, the newest first.")
            .WithDescription("A list leaves `spec` and `result` null, since they may be large; read one job to see them.");
        jobs.MapPost("/", Submit).WithName("SubmitJob").WithSummary("Starts a job of any kind, after others where it says so.")
            .Produces<JobAccepted>(202).ProducesProblem(400).ProducesProblem(409)
            .WithRequestExample("""{"kind":"verify","spec":{},"after":[],"priority":0}""");
        jobs.MapGet("/{id}", Get).WithName("GetJob").WithSummary("Shows a job; with wait, once it has ended or the seconds are over.").ProducesProblem(404);
        jobs.MapGet("/{id}/events", Events).WithName("ListJobEvents")
            .WithSummary("A page of the job's history, or its events as they happen (Accept: text/event-stream).")
            .WithDescription("Begins after the line `Last-Event-ID` or `after`; with `latest=true` and neither of them, at the newest line.")
            .Produces<Page<JobEventView>>()
            .Produces<string>(200, "text/event-stream")
            .ProducesProblem(404);
        jobs.MapGet("/{id}/logs", Logs).WithName("ListJobLogs").WithSummary("A page of the job's log, the oldest line first.").ProducesProblem(404);
        jobs.MapPost("/{id}/cancel", Cancel).WithName("CancelJob").WithSummary("Asks a job to stop for good.").ProducesProblem(404).ProducesProblem(409);
        jobs.MapPost("/{id}/pause", Pause).WithName("PauseJob").WithSummary("Lets a job rest where its kind can go on later.").ProducesProblem(404).ProducesProblem(409);
        jobs.MapPost("/{id}/resume", Resume).WithName("ResumeJob").WithSummary("Lets a paused job go on.").ProducesProblem(404).ProducesProblem(409);
        jobs.MapPost("/{id}/retry", Retry).WithName("RetryJob").WithSummary("Runs a failed or cancelled job once more.").ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Ok<Page<JobView>>> List(
        [StringLength(64)] string? kind, QueryWord<JobState>? state, [AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        var wanted = state?.Value;
        var jobs = db.Jobs.Where(j => (kind == null || j.Kind == kind) && (wanted == null || j.State == wanted));
        if (paging.After is { } after)
        {
            var seq = await db.Jobs.Where(j => j.Id == after).Select(j => (long?)j.Seq).SingleOrDefaultAsync(cancel) ?? throw paging.UnknownCursor("job");
            jobs = jobs.Where(j => j.Seq < seq);
        }

        return TypedResults.Ok(await jobs.OrderByDescending(j => j.Seq).Select(JobHead.Columns).ToPageAsync(paging.Size, j => j.ToView(), j => j.Id, cancel));
    }

    private static async Task<Accepted<JobAccepted>> Submit(JobRequest request, IEnumerable<JobKind> kinds, JobQueue queue, CancellationToken cancel)
    {
        var kind = kinds.FirstOrDefault(k => k.Word == request.Kind)
            ?? throw LlmOsException.Invalid("kind", $"kind: '{request.Kind}' is no kind of job; expected {string.Join(", ", kinds.Select(k => k.Word).Order(StringComparer.Ordinal))}.");
        if (request.Spec.ValueKind != JsonValueKind.Object)
        {
            throw LlmOsException.Invalid(SpecField, $"{SpecField}: expected an object, as the route of '{kind.Word}' takes it.");
        }

        var job = await queue.SubmitAsync(kind, await CheckAsync(kind, request.Spec, cancel), request.Priority ?? 0, request.After ?? [], cancel);
        return JobKindRegistration.Accepted(job);
    }

    /// <summary>A refusal names its field as the kind's own route does; here the field lies deeper.</summary>
    private static async Task<object> CheckAsync(JobKind kind, JsonElement spec, CancellationToken cancel)
    {
        try
        {
            return await kind.CheckAsync(spec, cancel);
        }
        catch (LlmOsException e) when (e.Field is { } field && !field.StartsWith(SpecField, StringComparison.Ordinal))
        {
            throw new LlmOsException(e.Code, e.Message, e) { Field = $"{SpecField}.{field}", Detail = e.Detail, Hint = e.Hint };
        }
    }

    private static async Task<Ok<JobView>> Get(string id, [Range(0, 600)] int? wait, JobWatch watch, CancellationToken cancel) =>
        TypedResults.Ok(await watch.UntilOverAsync(id, TimeSpan.FromSeconds(wait ?? 0), cancel));

    private static async Task<IResult> Events(
        string id,
        [AsParameters] NumberedPaging paging,
        bool? latest,
        [FromHeader(Name = "Last-Event-ID"), StringLength(32)] string? lastEventId,
        HttpRequest request,
        JobWatch watch,
        CancellationToken cancel)
    {
        await watch.StateAsync(id, cancel);
        var from = lastEventId is null ? paging.After ?? (latest is true ? await watch.BeforeNewestAsync(id, cancel) : 0)
            : long.TryParse(lastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out var seen) ? seen
            : throw LlmOsException.Invalid("Last-Event-ID", $"'{lastEventId}' is not the id of an event; send the last id that was received.");

        if (request.GetTypedHeaders().Accept.Any(accept => accept.MediaType == "text/event-stream"))
        {
            return new EventStream(watch.FollowAsync(id, from, cancel));
        }

        var lines = await watch.LinesAsync(id, from, paging.Size + 1, cancel);
        return TypedResults.Ok(lines.ToPage(paging.Size, line => line, line => line.Id.ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<Ok<Page<JobLogView>>> Logs(string id, [AsParameters] NumberedPaging paging, JobWatch watch, CancellationToken cancel)
    {
        await watch.StateAsync(id, cancel);
        var lines = await watch.LogAsync(id, paging.After ?? 0, paging.Size + 1, cancel);
        return TypedResults.Ok(lines.ToPage(paging.Size, line => line, line => line.Id.ToString(CultureInfo.InvariantCulture)));
    }

    private static Task<Ok<JobView>> Cancel(string id, JobQueue queue, TimeProvider clock, CancellationToken cancel) =>
        ChangeAsync(id, queue, job => job.Cancel(clock.GetUtcNow()), cancel);

    private static Task<Ok<JobView>> Pause(string id, JobQueue queue, IEnumerable<JobKind> kinds, CancellationToken cancel) =>
        ChangeAsync(id, queue, job => job.Pause(kinds.Any(k => k.Word == job.Kind && k.CanPause)), cancel);

    private static Task<Ok<JobView>> Resume(string id, JobQueue queue, CancellationToken cancel) => ChangeAsync(id, queue, job => job.Resume(), cancel);

    private static Task<Ok<JobView>> Retry(string id, JobQueue queue, CancellationToken cancel) => ChangeAsync(id, queue, job => job.Retry(), cancel);

    private static async Task<Ok<JobView>> ChangeAsync(string id, JobQueue queue, Action<Job> change, CancellationToken cancel) =>
        TypedResults.Ok(await queue.ChangeAsync(id, change, cancel));
}
