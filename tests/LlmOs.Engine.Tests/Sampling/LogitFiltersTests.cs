using System.Text.Json;
using LlmOs.Engine.Sampling;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Sampling;

/// <summary>Every filter against what transformers 5.23.0 computed (vectors/sampling), plus what the vectors leave open.</summary>
public sealed class LogitFiltersTests
{
    private static readonly string[] Known =
        ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "presence_frequency_penalty", "logit_bias", "min_new_tokens"];

    [Theory]
    [InlineData("temperature", 54)]
    [InlineData("top_k", 54)]
    [InlineData("top_p", 63)]
    [InlineData("min_p", 54)]
    [InlineData("repetition_penalty", 14)]
    [InlineData("presence_frequency_penalty", 16)]
    [InlineData("logit_bias", 8)]
    [InlineData("min_new_tokens", 8)]
    public void Recorded_scores_come_out(string processor, int atLeast)
    {
        var compared = 0;
        foreach (var row in Rows().Where(row => row.Processor == processor && !row.Parameters.ContainsKey("prompt_ignore_length")))
        {
            var scores = (float[])row.Logits.Clone();
            Apply(processor, scores, row);
            Compare(row, scores);
            compared++;
        }

        Assert.True(compared >= atLeast, $"only {compared} rows of {processor}");
    }

    [Theory]
    [InlineData(1e-38)]
    [InlineData(1e-45)]
    [InlineData(1e-300)]
    public void The_smallest_temperatures_leave_the_best_score_alone(double temperature)
    {
        float[] scores = [31.5f, -12, float.NegativeInfinity, 31.25f, 31.5f];

        LogitFilters.Temperature(scores, (float)temperature);

        Assert.Equal([0, 0], [scores[0], scores[4]]);
        Assert.All([scores[1], scores[2], scores[3]], score => Assert.InRange(score, float.NegativeInfinity, -1e6f));
    }

    [Fact]
    public void Chains_come_out_in_the_order_of_transformers()
    {
        var compared = 0;
        foreach (var row in Rows().Where(row => row.Processor == "chain" && row.Steps.All(Known.Contains)))
        {
            var scores = (float[])row.Logits.Clone();
            foreach (var processor in Known.Where(row.Steps.Contains).OrderBy(Rank))
            {
                Apply(processor, scores, row);
            }

            Compare(row, scores);
            compared++;
        }

        Assert.True(compared >= 10, $"only {compared} chains");
    }

    [Fact]
    public void Top_p_among_equals_keeps_the_lower_ids()
    {
        float[] scores = [1, 1, 1, 1];

        LogitFilters.TopP(scores, 0.5, new float[4], new ulong[4]);

        Assert.Equal([1, 1, float.NegativeInfinity, float.NegativeInfinity], scores);
    }

    [Fact]
    public void Top_p_looks_far_enough_down_a_flat_distribution()
    {
        // No token within e^-4 of the best holds the mass alone: almost all of it lies further down.
        var scores = new float[50_000];
        Array.Fill(scores, -20f);
        scores[7] = 0;

        LogitFilters.TopP(scores, 0.999_999, new float[scores.Length], new ulong[scores.Length]);

        // 1 + 49,999 e^-20 in all; the best alone is 0.9998969 of it.
        var kept = scores.Count(score => !float.IsNegativeInfinity(score));
        Assert.InRange(kept, 49_000, 49_999);
        Assert.Equal(0, scores[7]);
    }

    [Fact]
    public void Top_p_keeps_what_sorting_would_keep()
    {
        var random = new Random(6);
        for (var round = 0; round < 300; round++)
        {
            var spread = Math.Pow(10, (random.NextDouble() * 3) - 1);
            var scores = Enumerable.Range(0, random.Next(1, 400)).Select(_ => (float)(random.NextDouble() * spread)).ToArray();
            var p = random.NextDouble();
            var ranked = scores.Select((score, id) => (score, id)).OrderByDescending(s => s.score).ThenBy(s => s.id).ToArray();
            var total = scores.Sum(score => Math.Exp(score - ranked[0].score));
            var expected = new HashSet<int>();
            var above = 0.0;
            foreach (var (score, id) in ranked)
            {
                if (expected.Count > 0 && above >= p * total)
                {
                    break;
                }

                expected.Add(id);
                above += Math.Exp(score - ranked[0].score);
            }

            LogitFilters.TopP(scores, p, new float[scores.Length], new ulong[scores.Length]);

            Assert.Equal(expected.Order(), Enumerable.Range(0, scores.Length).Where(id => !float.IsNegativeInfinity(scores[id])));
        }
    }

    [Fact]
    public void The_kth_highest_is_what_sorting_finds()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var scores = Enumerable.Range(0, random.Next(1, 60)).Select(_ => (float)random.Next(20)).ToArray();
            var k = random.Next(1, 70);

            var kth = LogitFilters.KthHighest(scores, k, new float[scores.Length]);

            Assert.Equal(scores.OrderDescending().ElementAt(Math.Min(k, scores.Length) - 1), kth);
        }
    }

    private static int Rank(string processor) => processor switch
    {
        "repetition_penalty" => 0,
        "presence_frequency_penalty" => 1,
        "logit_bias" => 2,
        "min_new_tokens" => 3,
        "temperature" => 4,
        "top_k" => 5,
        "top_p" => 6,
        _ => 7,
    };

    private static void Apply(string processor, float[] scores, Row row)
    {
        double Number(string name) => row.Parameters[name].GetDouble();
        switch (processor)
        {
            case "temperature":
                LogitFilters.Temperature(scores, (float)Number("temperature"));
                break;
            case "top_k":
                KeepTopK(scores, (int)Number("top_k"));
                break;
            case "top_p":
                LogitFilters.TopP(scores, Number("top_p"), new float[scores.Length], new ulong[scores.Length]);
                break;
            case "min_p":
                LogitFilters.MinP(scores, Number("min_p"));
                break;
            case "repetition_penalty":
                LogitFilters.RepetitionPenalty(scores, row.History.Distinct().ToArray(), (float)Number("repetition_penalty"));
                break;
            case "presence_frequency_penalty":
                var made = row.History[(int)Number("prompt_length")..].CountBy(id => id).ToArray();
                LogitFilters.OccurrencePenalties(
                    scores,
                    [.. made.Select(m => m.Key)],
                    [.. made.Select(m => m.Value)],
                    (float)Number("presence_penalty"),
                    (float)Number("frequency_penalty"));
                break;
            case "logit_bias":
                var bias = row.Parameters["logit_bias"].EnumerateObject()
                    .ToDictionary(b => int.Parse(b.Name, System.Globalization.CultureInfo.InvariantCulture), b => b.Value.GetSingle());
                LogitFilters.Bias(scores, bias);
                break;
            case "min_new_tokens":
                if (row.History.Length - (int)Number("prompt_length") < (int)Number("min_new_tokens"))
                {
                    LogitFilters.Ban(scores, row.EndTokens);
                }

                break;
            default:
                throw new ArgumentException($"There is no processor '{processor}'.", nameof(processor));
        }
    }

    /// <summary>Top-k moves what it keeps together; here it goes back to its places.</summary>
    private static void KeepTopK(float[] scores, int k)
    {
        var ids = new int[scores.Length];
        var count = LogitFilters.TopK(scores, ids, k, new float[scores.Length]);
        var kept = scores[..count];
        Array.Fill(scores, float.NegativeInfinity);
        for (var i = 0; i < count; i++)
        {
            scores[ids[i]] = kept[i];
        }
    }

    private static void Compare(Row row, float[] scores)
    {
        for (var id = 0; id < scores.Length; id++)
        {
            if (row.Tied.Contains(id))
            {
                continue;
            }

            var (expected, actual) = (row.Processed[id], scores[id]);
            var equal = float.IsNegativeInfinity(expected) || float.IsNegativeInfinity(actual)
                ? expected.Equals(actual)
                : Math.Abs(expected - actual) <= 1e-5 * (1 + Math.Abs(expected));
            Assert.True(equal, $"{row.Id}: id {id} is {actual}, expected {expected}");
        }

        Assert.Equal(row.TiedKept, row.Tied.Count(id => !float.IsNegativeInfinity(scores[id])));
    }

    private static List<Row> Rows()
    {
        var path = SharedFolder.Require("vectors", "sampling", "processors.jsonl");
        return [.. File.ReadLines(path).Select(line => new Row(JsonSerializer.Deserialize<JsonElement>(line)))];
    }

    private sealed class Row(JsonElement json)
    {
        public string Id { get; } = json.GetProperty("id").GetString()!;

        public string Processor { get; } = json.GetProperty("processor").GetString()!;

        public Dictionary<string, JsonElement> Parameters { get; } =
            json.GetProperty("params").EnumerateObject().ToDictionary(p => p.Name, p => p.Value);

        public float[] Logits { get; } = Floats(json.GetProperty("logits"));

        public float[] Processed { get; } = Floats(json.GetProperty("processed"));

        public int[] History { get; } = json.TryGetProperty("history", out var history) ? Ids(history) : [];

        public int[] Tied { get; } = json.TryGetProperty("tie", out var tie) ? Ids(tie.GetProperty("ids")) : [];

        public int TiedKept { get; } = json.TryGetProperty("tie", out var tie) ? tie.GetProperty("kept").GetInt32() : 0;

        /// <summary>The settings of a chain by name; what is no processor of its own is left out.</summary>
        public IReadOnlyList<string> Steps => [.. Parameters.Keys.Where(name => name is not ("prompt_length" or "eos_token_id"))];

        public int[] EndTokens => Parameters.TryGetValue("eos_token_id", out var ends)
            ? ends.ValueKind == JsonValueKind.Array ? Ids(ends) : [ends.GetInt32()]
            : [];

        private static float[] Floats(JsonElement list) =>
            [.. list.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : v.GetSingle())];

        private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetInt32())];
    }
}
