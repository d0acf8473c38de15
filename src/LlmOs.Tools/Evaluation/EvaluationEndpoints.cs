using System.ComponentModel.DataAnnotations;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Evaluation;

/// <summary><c>/api/v1/evaluations</c>.</summary>
internal static class EvaluationEndpoints
{
    public static void MapEvaluations(this IEndpointRouteBuilder routes)
    {
        var evaluations = routes.MapGroup("/api/v1/evaluations").WithTags("Evaluations");
        evaluations.MapPost("/", Evaluate)
            .WithName("Evaluate")
            .WithSummary("Measures a model; answers with the job that does it.")
            .WithRequestExample("""{"kind":"multiple_choice","model":"starter","rows":[{"context":"Once upon a","choices":["time","spoon"],"answer":0}]}""")
            .Produces<JobAccepted>(202)
            .ProducesProblem(400)
            .ProducesProblem(403)
            .ProducesProblem(404);
        evaluations.MapGet("/", List)
            .WithName("ListEvaluations")
            .WithSummary("Finished evaluations, newest first.")
            .ProducesProblem(400)
            .ProducesProblem(404);
        evaluations.MapGet("/{id}", Get)
            .WithName("GetEvaluation")
            .WithSummary("Shows one finished evaluation.")
            .ProducesProblem(404);
        evaluations.MapPost("/compare", Compare)
            .WithName("CompareEvaluations")
            .WithSummary("Compares two evaluations of the same data row by row, with a paired test.")
            .WithRequestExample("""{"first":"my-model:1","second":"my-model:2"}""")
            .ProducesProblem(400)
            .ProducesProblem(404);
    }

    private static async Task<Accepted<JobAccepted>> Evaluate(EvaluationRequest request, IGenerationService generation, LlmOsSettings settings, JobQueue jobs, CancellationToken cancel)
    {
        var spec = await EvaluationJobSpec.CheckAsync(request, settings, generation, cancel);
        var job = await jobs.SubmitAsync(EvaluationRunner.JobKind, spec, cancel);
        return TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
    }

    private static async Task<Ok<Page<EvaluationView>>> List(
        [StringLength(512)] string? model,
        [Range(1, 500)] int? limit,
        [StringLength(64)] string? after,
        LlmOsDb db,
        CancellationToken cancel)
    {
        var evaluations = db.Evaluations.AsNoTracking();
        if (model is not null)
        {
            var version = (await ModelResolver.ResolveAsync(db, model, cancel)).Id;
            evaluations = evaluations.Where(e => e.VersionId == version);
        }

        if (after is not null)
        {
            var last = (await FindAsync(db, after, cancel))?.Seq
                ?? throw LlmOsException.Invalid("after", $"There is no evaluation '{after}'; send the next of the page before.");
            evaluations = evaluations.Where(e => e.Seq < last);
        }

        var size = limit ?? 50;
        var rows = await evaluations.OrderByDescending(e => e.Seq).Take(size + 1).ToListAsync(cancel);
        var page = rows.Take(size).Select(e => e.ToView()).ToList();
        return TypedResults.Ok(new Page<EvaluationView>(page, rows.Count > size ? page[^1].Id : null));
    }

    private static async Task<Ok<EvaluationView>> Get(string id, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok((await FindAsync(db, id, cancel) ?? throw LlmOsException.NotFound("evaluation", Shorten(id))).ToView());

    private static async Task<Ok<EvaluationComparisonView>> Compare(EvaluationComparisonRequest request, LlmOsDb db, CancellationToken cancel)
    {
        var first = await CandidatesAsync(db, request.First, "first", cancel);
        var second = await CandidatesAsync(db, request.Second, "second", cancel);

        // The newest pair of the same data; with two ids there is only one pair, and whether it fits is told below.
        var pair = (from a in first from b in second where a.Fingerprint == b.Fingerprint && a.Id != b.Id orderby Math.Min(a.Seq, b.Seq) descending select (a, b)).FirstOrDefault();
        return pair.a is not null ? TypedResults.Ok(EvaluationComparison.Of(pair.a, pair.b))
            : first is [var one] && second is [var other] && one.Id != other.Id ? TypedResults.Ok(EvaluationComparison.Of(one, other))
            : throw LlmOsException.Invalid("second", $"'{Shorten(request.First)}' and '{Shorten(request.Second)}' have no two evaluations of the same data with the same settings.");
    }

    private static async Task<IReadOnlyList<StoredEvaluation>> CandidatesAsync(LlmOsDb db, string name, string field, CancellationToken cancel)
    {
        if (await FindAsync(db, name, cancel) is { } evaluation)
        {
            return [evaluation];
        }

        if (name.StartsWith("job_", StringComparison.Ordinal))
        {
            throw new LlmOsException(ErrorCode.NotFound, $"There is no evaluation '{Shorten(name)}'.") { Field = field };
        }

        const int Looked = 50;
        var version = (await ModelResolver.ResolveAsync(db, name, cancel)).Id;
        return await db.Evaluations.AsNoTracking().Where(e => e.VersionId == version).OrderByDescending(e => e.Seq).Take(Looked).ToListAsync(cancel);
    }

    private static Task<StoredEvaluation?> FindAsync(LlmOsDb db, string id, CancellationToken cancel) => db.Evaluations.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancel);

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "...";
}
