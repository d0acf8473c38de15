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
    /// <summary>How long the stream of a running job may say nothing before the job is asked for.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);

    /// <summary>Starts a training job from a specification, sent as it is.</summary>
    public async Task<JobView> TrainAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/training", specification, cancel)).Job;

    /// <summary>Starts an evaluation job from a specification, sent as it is.</summary>
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

    /// <summary>
    /// The job as it changes, by the stream of its events; the last one is its end or a pause. Where the stream says nothing for
    /// a while, such as behind a proxy that holds it back, the job is asked for. Leaving the loop does not touch the job.
    /// </summary>
    public async IAsyncEnumerable<JobView> WatchJobAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        var job = await GetJobAsync(id, 0, cancel);
        yield return job;
        if (Rests(job.State))
        {
            yield break;
        }

        await foreach (var line in HearJobAsync(id, null, cancel))
        {
            // The end is asked for: its result and its error are no part of the line.
            job = line is null || Rests(line.State) ? await GetJobAsync(id, 0, cancel) : job.At(line);
            yield return job;
            if (Rests(job.State))
            {
                yield break;
            }
        }
    }

    /// <summary>The lines of a job's history as they are written, through lost connections and restarts of the host, until the caller leaves.</summary>
    /// <param name="after">The id of the last line that is known; null begins with the newest.</param>
    /// <returns>Null wherever nothing was heard for a while: the caller looks for itself whether the job goes on.</returns>
    public async IAsyncEnumerable<JobEventView?> HearJobAsync(string id, long? after, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            await using var lines = FollowJobAsync(id, after, stop.Token).GetAsyncEnumerator(stop.Token);
            Task<bool>? next = null;
            try
            {
                do
                {
                    next = NextAsync(lines);
                    while (await Task.WhenAny(next, Task.Delay(Quiet, cancel)) != next)
                    {
                        cancel.ThrowIfCancellationRequested();
                        yield return null;
                    }

                    if (await next)
                    {
                        after = lines.Current.Id;
                        yield return lines.Current;
                    }
                }
                while (await next);
            }
            finally
            {
                // A reader that leaves in between must not leave a read behind.
                await stop.CancelAsync();
                await (next ?? Task.FromResult(false));
            }

            cancel.ThrowIfCancellationRequested();
            yield return null;
            await Task.Delay(Reconnect, cancel);
        }

        // Why there is no stream is said by the call that the caller makes next.
        static async Task<bool> NextAsync(IAsyncEnumerator<JobEventView> lines)
        {
            try
            {
                return await lines.MoveNextAsync();
            }
            catch (Exception e) when (e is LlmOsApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                return false;
            }
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
    /// <param name="after">The id of the last line that is known; 0 begins at the start, null with the newest line.</param>
    public async IAsyncEnumerable<JobEventView> FollowJobAsync(string id, long? after, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/jobs/{Uri.EscapeDataString(id)}/events" + Query(("latest", after is null ? "true" : null)));
        if (after is { } known)
        {
            request.Headers.Add("Last-Event-ID", known.ToString(CultureInfo.InvariantCulture));
        }


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

    private static bool Rests(JobState state) => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Paused;
}
