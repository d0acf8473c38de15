using System.Text.Json;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>
/// Opens <c>POST /api/v1/jobs</c> to one kind of job: checks a specification as the kind's own route does. A kind without
/// one can be started by its own route alone.
/// </summary>
public interface IJobSpec
{
    /// <summary>The word in the job's <c>kind</c>.</summary>
    string Kind { get; }

    /// <summary>Refuses what can be seen to be wrong at once; read it with <see cref="Http.FreeForm.Read"/>.</summary>
    /// <returns>The specification to store, as its record.</returns>
    Task<object> CheckAsync(JsonElement spec, CancellationToken cancel);
}
