using System.Globalization;
using System.Text.Json;
using LlmOs.Engine.Sampling;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Sampling;

/// <summary>The rows of <c>../shared/vectors/sampling</c>: each processor of transformers, and chains of them.</summary>
public sealed class ProcessorVectorTests
{
    /// <summary>Not offered anywhere.</summary>
    private static readonly string[] NotOffered = ["top_h", "encoder_repetition_penalty", "exponential_decay_length_penalty"];

    [Fact]
    public void Every_row_of_an_offered_processor_gives_the_recorded_scores()
    {
        var failures = new List<string>();
        var counts = new Dictionary<string, int>();
        foreach (var line in File.ReadLines(SharedFolder.Require("vectors", "sampling", "processors.jsonl")))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var parameters = row.GetProperty("params");
            if (NotOffered.Any(name => parameters.TryGetProperty(name, out _)) || parameters.TryGetProperty("prompt_ignore_length", out _))
            {
                continue;
            }

            var processor = row.GetProperty("processor").GetString()!;
            counts[processor] = counts.GetValueOrDefault(processor) + 1;
            if (Compare(row, Process(row)) is { } fault)
            {
                failures.Add($"{row.GetProperty("id")}: {fault}");
            }
        }

        Assert.True(counts.Count >= 19, $"Only {string.Join(", ", counts)} were compared.");
        Assert.True(failures.Count == 0, $"{failures.Count} of {counts.Values.Sum()} rows differ:\n{string.Join('\n', failures.Take(10))}");
    }

    private static float[] Process(JsonElement row)
    {
        var parameters = row.GetProperty("params");
        var history = Ints(row, "history");
        var prompt = parameters.TryGetProperty("prompt_length", out var length) ? length.GetInt32() : history.Length;
        int Whole(string name, int otherwise) => parameters.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;
        double Number(string name, double otherwise) => parameters.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
        int[] List(string name) => parameters.TryGetProperty(name, out var value) ? Ints(value) : [];

        var settings = new SamplingParameters
        {
            Temperature = Number("temperature", 1),
            RepetitionPenalty = Number("repetition_penalty", 1),
            PresencePenalty = Number("presence_penalty", 0),
            FrequencyPenalty = Number("frequency_penalty", 0),
            LogitBias = parameters.TryGetProperty("logit_bias", out var bias) ? bias.EnumerateObject().ToDictionary(p => int.Parse(p.Name, CultureInfo.InvariantCulture), p => p.Value.GetSingle()) : null,
            TopK = Whole("top_k", 0),
            TopP = Number("top_p", 1),
            MinP = Number("min_p", 0),
            TypicalP = Number("typical_p", 1),
            EpsilonCutoff = Number("epsilon_cutoff", 0),
            EtaCutoff = Number("eta_cutoff", 0),
        };
        var maxLength = Whole("max_length", int.MaxValue);
        var choice = new TokenChoice(new GenerationRequest
        {
            PromptTokens = history[..prompt],
            SourceTokens = Ints(row, "encoder_ids"),
            MaxTokens = int.MaxValue,
            MinTokens = Math.Max(Whole("min_new_tokens", 0), Whole("min_length", 0) - prompt),
            EndTokens = List("eos_token_id"),
            Sampling = settings,
            Rules = new TokenRules
            {
                NoRepeatNgram = Whole("no_repeat_ngram_size", 0),
                SourceNoRepeatNgram = Whole("encoder_no_repeat_ngram_size", 0),
                BadWords = parameters.TryGetProperty("bad_words_ids", out var words) ? [.. words.EnumerateArray().Select(Ints)] : [],
                SequenceBias = parameters.TryGetProperty("sequence_bias", out var biases) ? [.. biases.EnumerateArray().Select(b => (Ints(b[0]), b[1].GetSingle()))] : [],
                Suppressed = List("suppress_tokens"),
                SuppressedAtBegin = List("begin_suppress_tokens"),
                ForcedBegin = parameters.TryGetProperty("forced_bos_token_id", out var first) ? first.GetInt32() : null,
                ForcedEnd = parameters.TryGetProperty("forced_eos_token_id", out var last) ? Ints(last)[0] : null,
            },
        })
        {
            MaxTokens = maxLength == int.MaxValue ? int.MaxValue : maxLength - prompt,
        };
        foreach (var token in history[prompt..])
        {
            choice.Add(token);
        }

        var scores = row.GetProperty("logits").EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : v.GetSingle()).ToArray();
        choice.Apply(scores, history.Length - prompt);
        Filter(scores, settings);
        if (parameters.TryGetProperty("renormalize_logits", out var renormalise) && renormalise.GetBoolean())
        {
            LogitFilters.Normalise(scores, new float[scores.Length]);
        }

        return scores;
    }

    /// <summary>The filters in the sampler's order; what top-k leaves out goes back to its place.</summary>
    private static void Filter(float[] scores, SamplingParameters settings)
    {
        LogitFilters.Temperature(scores, (float)settings.Temperature);
        if (settings.TopK > 0 && settings.TopK < scores.Length)
        {
            var ids = new int[scores.Length];
            float[] kept = [.. scores];
            var count = LogitFilters.TopK(kept, ids, settings.TopK, new float[scores.Length]);
            Array.Fill(scores, float.NegativeInfinity);
            for (var i = 0; i < count; i++)
            {
                scores[ids[i]] = kept[i];
            }
        }

        var (weights, keys) = (new float[scores.Length], new ulong[scores.Length]);
        if (settings.TopP < 1)
        {
            LogitFilters.TopP(scores, settings.TopP, weights, keys);
        }

        if (settings.MinP > 0)
        {
            LogitFilters.MinP(scores, settings.MinP);
        }

        if (settings.TypicalP < 1)
        {
            LogitFilters.TypicalP(scores, settings.TypicalP, weights, keys);
        }

        if (settings.EpsilonCutoff > 0)
        {
            LogitFilters.EpsilonCutoff(scores, settings.EpsilonCutoff, weights);
        }

        if (settings.EtaCutoff > 0)
        {
            LogitFilters.EtaCutoff(scores, settings.EtaCutoff, weights);
        }
    }

    private static string? Compare(JsonElement row, float[] actual)
    {
        var expected = row.GetProperty("processed").EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : v.GetSingle()).ToArray();
        HashSet<int> tied = row.TryGetProperty("tie", out var tie) ? [.. Ints(tie.GetProperty("ids"))] : [];
        if (tied.Count > 0 && tied.Count(id => !float.IsNegativeInfinity(actual[id])) != tie.GetProperty("kept").GetInt32())
        {
            return "another number of tied tokens stays";
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (tied.Contains(i) || (float.IsNegativeInfinity(expected[i]) && float.IsNegativeInfinity(actual[i])))
            {
                continue;
            }

            if (!(Math.Abs(expected[i] - actual[i]) <= 1e-5 * (1 + Math.Abs(expected[i]))))
            {
                return $"token {i} is {actual[i]}, not {expected[i]}";
            }
        }

        return null;
    }

    private static int[] Ints(JsonElement row, string name) => row.TryGetProperty(name, out var list) ? Ints(list) : [];

    private static int[] Ints(JsonElement list) => list.ValueKind == JsonValueKind.Number ? [list.GetInt32()] : [.. list.EnumerateArray().Select(e => e.GetInt32())];
}
