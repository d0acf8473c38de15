using System.Buffers;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>
/// One thing that jobs say. Each is a static field beside the kind that says it; who shows jobs has words for the code in
/// its own language.
/// </summary>
/// <param name="word">In snake case; never changes, since it is stored.</param>
/// <param name="sentence">The English line, as <see cref="JobPhrase.Fill"/> takes it: the job's <c>message</c>.</param>
public sealed class JobCode(string word, string sentence)
{
    public string Word => word;

    public string Sentence => sentence;

    /// <summary>The code with what its sentence names.</summary>
    /// <param name="arguments">Texts and numbers by the names of the sentence's places.</param>
    public JobMessage With(params ReadOnlySpan<(string Name, object? Value)> arguments)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in arguments)
            {
                writer.WritePropertyName(name);
                Write(writer, value);
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(json.WrittenMemory);
        return new JobMessage(this, document.RootElement.Clone());
    }

    /// <summary>A code that takes no arguments is a message.</summary>
    public static implicit operator JobMessage(JobCode code) => code.With();

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case int or long:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            default:
                writer.WriteStringValue(JobText.Storable(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", JobMessage.MaxArgumentCharacters));
                break;
        }
    }
}

/// <summary>What a job says: a code and its arguments.</summary>
/// <param name="Arguments">A JSON object of texts and numbers.</param>
public sealed record JobMessage(JobCode Code, JsonElement Arguments)
{
    internal const int MaxArgumentCharacters = 4_000;

    /// <summary>The English line.</summary>
    public string Text => JobPhrase.Fill(Code.Sentence, Arguments, CultureInfo.InvariantCulture);

    public override string ToString() => Text;

    internal JobLine ToLine(int max) => new(JobText.Storable(Text, max), Code.Word, Arguments.GetRawText());
}

/// <summary>What a job says, as it is stored; lines of older versions have the text alone.</summary>
/// <param name="Arguments">JSON.</param>
internal sealed record JobLine(string Text, string? Code, string? Arguments);

/// <summary>What every job may say, whatever its kind.</summary>
public static class JobCodes
{
    public static readonly JobCode WaitingForHost = new("waiting_for_host", "waiting for a host");
    public static readonly JobCode WaitingForJobs = new("waiting_for_jobs", "waiting for other jobs");
    public static readonly JobCode HostStopped = new("host_stopped", "waiting for a host: the last one stopped");
    public static readonly JobCode Started = new("started", "started");
    public static readonly JobCode HostSilent = new("host_silent", "started again: {node} fell silent");
    public static readonly JobCode AttemptStarted = new("attempt_started", "attempt {attempt} on {node}, started");
    public static readonly JobCode AttemptAgain = new("attempt_again", "attempt {attempt} on {node}, started again: {lost} fell silent");
    public static readonly JobCode TryingAgain = new("trying_again", "trying again: {error}");
    public static readonly JobCode Pausing = new("pausing", "pausing");
    public static readonly JobCode Paused = new("paused", "paused");
    public static readonly JobCode PausedBeforeStart = new("paused_before_start", "paused before it started");
    public static readonly JobCode Cancelling = new("cancelling", "cancelling");
    public static readonly JobCode Cancelled = new("cancelled", "cancelled");
    public static readonly JobCode Failed = new("failed", "{error}");
    public static readonly JobCode FailedBecause = new("failed_because", "{error_code}: {error}");
    public static readonly JobCode Done = new("done", "done");
    public static readonly JobCode LogFull = new("log_full", "This attempt has written {lines} lines; further ones are dropped.");
}
