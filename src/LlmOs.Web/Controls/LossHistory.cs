using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Web.Controls;

/// <summary>The losses of one training job, read from its events as they come.</summary>
internal sealed class LossHistory(string id)
{
    private const int AtOnce = 500;

    /// <summary>The code of an event that tells of a step; older versions wrote none.</summary>
    private const string Step = "step";

    private readonly List<CurvePoint> _training = [];
    private readonly List<CurvePoint> _validation = [];
    private long _lastEvent;

    /// <summary>The id of the last event that was taken; 0 before the first.</summary>
    public long LastEvent => _lastEvent;

    public IReadOnlyList<CurvePoint> Training => _training;

    public IReadOnlyList<CurvePoint> Validation => _validation;

    /// <summary>Takes what the job has measured since the last look.</summary>
    public async Task ReadAsync(LlmOsClient client, CancellationToken cancel)
    {
        Page<JobEventView> events;
        do
        {
            events = await client.ListJobEventsAsync(id, _lastEvent > 0 ? _lastEvent.ToString(CultureInfo.InvariantCulture) : null, AtOnce, cancel);
            foreach (var happened in events.Items)
            {
                Take(happened);
            }
        }
        while (events.Next is not null);
    }

    /// <summary>A number of a job's metrics; null where it has not been measured.</summary>
    public static double? Number(JsonElement metrics, string name) =>
        metrics.ValueKind == JsonValueKind.Object && metrics.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    /// <summary>A text of a line's arguments; null where it has none of that name.</summary>
    public static string? Text(JsonElement arguments, string name) =>
        arguments.ValueKind == JsonValueKind.Object && arguments.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Takes one event.</summary>
    public void Take(JobEventView happened)
    {
        _lastEvent = happened.Id;
        if (Number(happened.Metrics, "step") is { } step)
        {
            Add(_training, step, Number(happened.Metrics, "loss"));

            // The figures of the end are those of the weights that were kept, which may be an earlier step's.
            Add(_validation, step, happened.Code is Step or null ? Number(happened.Metrics, "validation_loss") : null);
        }
    }

    /// <summary>
    /// A run that goes on from a checkpoint does some steps again: the later measurement counts. A value that has not changed
    /// was not measured again.
    /// </summary>
    private static void Add(List<CurvePoint> points, double step, double? value)
    {
        if (value is { } number && (points.Count == 0 || points[^1].Value != number))
        {
            points.RemoveAll(p => p.Step >= step);
            points.Add(new CurvePoint(step, number));
        }
    }
}
