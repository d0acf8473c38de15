using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <content>Jobs, training, evaluation and the nodes they run on.</content>
public sealed partial class LlmOsClient
{
    /// <summary>Starts a training job from a specification (CONTRACT, section 7), sent as it is.</summary>
    public async Task<JobView> TrainAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/training", specification, cancel)).Job;

    /// <summary>Starts an evaluation job from a specification (CONTRACT, section 7), sent as it is.</summary>
    public async Task<JobView> EvaluateAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/evaluations", specification, cancel)).Job;

    /// <summary>Compares two evaluations of the same data, each an evaluation's id or a model.</summary>
    public Task<EvaluationComparisonView> CompareEvaluationsAsync(EvaluationComparisonRequest request, CancellationToken cancel) =>
        SendAsync<EvaluationComparisonView>(HttpMethod.Post, "api/v1/evaluations/compare", request, cancel);

    public Task<Page<JobView>> ListJobsAsync(string? kind, JobState? state, int? limit, string? after, CancellationToken cancel) =>
        GetAsync<Page<JobView>>(
            "api/v1/jobs" + Query(("kind", kind), ("state", state?.ToWord()), ("limit", limit?.ToString(CultureInfo.InvariantCulture)), ("after", after)),
            cancel);

    /// <param name="waitSeconds">Holds the answer until the job ends or the seconds are over; 0 answers at once.</param>
    public Task<JobView> GetJobAsync(string id, int waitSeconds, CancellationToken cancel) =>
        GetAsync<JobView>($"api/v1/jobs/{Uri.EscapeDataString(id)}" + Query(("wait", waitSeconds > 0 ? waitSeconds.ToString(CultureInfo.InvariantCulture) : null)), cancel);

    /// <summary>The job's state about once a second, the last one being its end or a pause. Leaving the loop does not touch the job.</summary>
    public async IAsyncEnumerable<JobView> WatchJobAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        var waitSeconds = 0;
        while (true)
        {
            var job = await GetJobAsync(id, waitSeconds, cancel);
            yield return job;
            if (job.State is JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Paused)
            {
                yield break;
            }

            waitSeconds = 1;
        }
    }

    /// <param name="action"><c>cancel</c>, <c>pause</c>, <c>resume</c> or <c>retry</c>.</param>
    public Task<JobView> ChangeJobAsync(string id, string action, CancellationToken cancel) =>
        SendAsync<JobView>(HttpMethod.Post, $"api/v1/jobs/{Uri.EscapeDataString(id)}/{action}", null, cancel);

    /// <summary>Starts a job of any kind, after others where it says so.</summary>
    public async Task<JobView> SubmitJobAsync(JobRequest request, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/jobs", request, cancel)).Job;

    /// <summary>A page of the job's history, the oldest line first.</summary>
    public Task<Page<JobEventView>> ListJobEventsAsync(string id, string? after, int? limit, CancellationToken cancel) =>
        GetAsync<Page<JobEventView>>($"api/v1/jobs/{Uri.EscapeDataString(id)}/events" + Query(("after", after), ("limit", limit?.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>The lines of the job's history after <paramref name="after"/> and then each as it is written, until the job is over or the host stops.</summary>
    /// <param name="after">The id of the last line that is known; 0 begins at the start.</param>
    public async IAsyncEnumerable<JobEventView> FollowJobAsync(string id, long after, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/jobs/{Uri.EscapeDataString(id)}/events" + Query(("after", after.ToString(CultureInfo.InvariantCulture))));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await SendAsync(request, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancel))
        {
            if (item.EventType == "error")
            {
                var problem = Read<ProblemReply>(item.Data);
                throw new LlmOsApiException((HttpStatusCode)problem.Status, problem.Code, problem.Detail);
            }

            yield return Read<JobEventView>(item.Data);
        }
    }

    /// <summary>A page of the job's log, the oldest line first.</summary>
    public Task<Page<JobLogView>> ListJobLogsAsync(string id, string? after, int? limit, CancellationToken cancel) =>
        GetAsync<Page<JobLogView>>($"api/v1/jobs/{Uri.EscapeDataString(id)}/logs" + Query(("after", after), ("limit", limit?.ToString(CultureInfo.InvariantCulture))), cancel);

    public Task<Page<NodeView>> ListNodesAsync(CancellationToken cancel) => GetAsync<Page<NodeView>>("api/v1/nodes", cancel);
}
