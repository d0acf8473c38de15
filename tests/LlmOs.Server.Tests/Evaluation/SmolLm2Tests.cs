using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Evaluation;

/// <summary>
/// A real model, imported from its GGUF file, against figures that transformers and lm-evaluation-harness gave for the same weights.
/// The short tests look at the first windows and rows; the long ones at more, and are there in a build with <c>-p:LongTests=true</c>.
/// </summary>
public sealed class SmolLm2Tests(SmolLm2Tests.Server server) : IClassFixture<SmolLm2Tests.Server>
{
    private const string Model = "smollm2";
    private const double NllTolerance = 1e-3;  // relative
    private const double RowTolerance = 1e-2;  // nats
    private const double MaxAtInt8 = 5e-3;  // of the perplexity, over 8 windows
    private const double MaxInBlocks = 2e-2;  // of the perplexity; one window alone strays further than many

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Imports the model with the first test.</summary>
    public sealed class Server : ServerProcess
    {
        private readonly SemaphoreSlim _importing = new(1, 1);
        private readonly HashSet<string> _imported = [];

        protected override ServerStart Start => new() { Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = ModelServer.ImportFolder } };

        /// <param name="precision">Null for f32.</param>
        public async Task<HttpClient> ReadyAsync(string? precision = null)
        {
            await _importing.WaitAsync();
            try
            {
                if (_imported.Add(precision ?? ""))
                {
                    await ModelServer.ImportAsync(this, NameOf(precision), precision, ["models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"]);
                }
            }
            finally
            {
                _importing.Release();
            }

            return Client();
        }
    }

    [Fact]
    public async Task The_first_windows_of_wikitext_2_are_as_likely_as_in_the_reference()
    {
        var reference = PerplexityReference();
        var windows = reference.GetProperty("per_window_nll").EnumerateArray().Take(2).Select(v => v.GetDouble()).ToList();

        var result = await EvaluateAsync(await server.ReadyAsync(), Perplexity(2 * 1024));

        Assert.Equal(2 * 1023, result.GetProperty("scored_tokens").GetInt32());
        Assert.Equal(windows.Sum(), result.GetProperty("nll_sum").GetDouble(), NllTolerance * windows.Sum());
    }

    /// <summary>The file's blocks of 4 bits stay what they are at int4, and keep their levels at int8; activations are rounded at both.</summary>
    [Theory]
    [InlineData("int8")]
    [InlineData("int4")]
    public async Task In_blocks_the_first_window_is_within_two_hundredths_as_likely(string precision)
    {
        var window = PerplexityReference().GetProperty("per_window_nll")[0].GetDouble();

        var result = await EvaluateAsync(await server.ReadyAsync(precision), Perplexity(1024, precision));

        Assert.InRange(Math.Exp((result.GetProperty("nll_sum").GetDouble() - window) / 1023), 1 - MaxInBlocks, 1 + MaxInBlocks);
    }

#if LONG_TESTS
    [Theory]
    [InlineData(null)]
    [InlineData("int8")]
    [InlineData("int4")]
    public async Task What_a_precision_costs_over_32_windows(string? precision)
    {
        var windows = PerplexityReference().GetProperty("per_window_nll").EnumerateArray().Take(32).Sum(v => v.GetDouble());

        var result = await EvaluateAsync(await server.ReadyAsync(precision), Perplexity(32 * 1024, precision));

        var ratio = Math.Exp((result.GetProperty("nll_sum").GetDouble() - windows) / (32 * 1023));
        TestContext.Current.TestOutputHelper!.WriteLine($"{precision ?? "f32"}: perplexity {result.GetProperty("perplexity").GetDouble():F4}, {ratio:F5} times the reference");
        Assert.InRange(ratio, 1 - MaxInBlocks, 1 + MaxInBlocks);
    }
#endif

#if LONG_TESTS
    [Fact]
    public async Task Eight_bits_cost_at_most_half_a_percent_over_8_windows()
    {
        var windows = PerplexityReference().GetProperty("per_window_nll").EnumerateArray().Take(8).Sum(v => v.GetDouble());

        var result = await EvaluateAsync(await server.ReadyAsync("int8"), Perplexity(8 * 1024, "int8"));

        var ratio = Math.Exp((result.GetProperty("nll_sum").GetDouble() - windows) / (8 * 1023));
        TestContext.Current.TestOutputHelper!.WriteLine($"int8: {ratio:F5} times the reference");
        Assert.InRange(ratio, 1 - MaxAtInt8, 1 + MaxAtInt8);
    }
#endif

    [Fact]
    public async Task The_first_rows_have_the_log_likelihoods_of_the_harness() => await CompareRowsAsync(rows: 6);

#if LONG_TESTS
    [Fact]
    public async Task All_of_the_references_windows_and_rows_are_met()
    {
        var reference = PerplexityReference();

        var result = await EvaluateAsync(await server.ReadyAsync(), Perplexity(65_536));

        Assert.Equal(reference.GetProperty("scored_tokens").GetInt32(), result.GetProperty("scored_tokens").GetInt32());
        Assert.Equal(reference.GetProperty("scored_bytes").GetInt32(), result.GetProperty("scored_bytes").GetInt32());
        Assert.Equal(reference.GetProperty("ppl").GetDouble(), result.GetProperty("perplexity").GetDouble(), NllTolerance * reference.GetProperty("ppl").GetDouble());
        Assert.Equal(reference.GetProperty("bits_per_byte").GetDouble(), result.GetProperty("bits_per_byte").GetDouble(), 1e-3);
        TestContext.Current.SendDiagnosticMessage("perplexity {0}", result.GetProperty("perplexity").GetDouble());
        await CompareRowsAsync(rows: 200);
    }
#endif

    private static string NameOf(string? precision) => precision is null ? Model : $"{Model}-{precision}";

    private static object Perplexity(int tokens, string? precision = null) =>
        new { kind = "perplexity", model = NameOf(precision), text = $"file:{SharedFolder.Require("data", "wikitext2", "wiki.valid.raw")}", window = 1024, max_tokens = tokens };

    private static JsonElement PerplexityReference() =>
        Json.Parse(File.ReadAllText(SharedFolder.Require("models", "smollm2-135m-instruct", "perplexity.json"))).GetProperty("rows").EnumerateArray()
            .First(r => r.GetProperty("what").GetString() == "float32" && r.GetProperty("window").GetInt32() == 1024 && r.GetProperty("stride").GetInt32() == 1024 && r.GetProperty("bos").ValueKind == JsonValueKind.Null);

    private async Task CompareRowsAsync(int rows)
    {
        var client = await server.ReadyAsync();
        var reference = Json.Parse(await File.ReadAllTextAsync(SharedFolder.Require("vectors", "eval", "smollm2-loglikelihood.json"), Cancel));

        // Pairs of sentences without a context, and reviews with two labels.
        var pairs = await EvaluateAsync(client, new { kind = "multiple_choice", model = Model, rows = Pairs().Take(rows) });
        var expected = reference.GetProperty("crows").GetProperty("rows").EnumerateArray().Take(rows).Select(r => new[] { r[1].GetDouble(), r[2].GetDouble() }).ToList();
        AssertNear(expected, pairs);

        var reviews = await EvaluateAsync(client, new { kind = "multiple_choice", model = Model, rows = Reviews().Take(rows) });
        var polarity = reference.GetProperty("polarity").GetProperty("rows").EnumerateArray().Take(rows).ToList();
        AssertNear([.. polarity.Select(r => r[1].EnumerateArray().Select(v => v.GetDouble()).ToArray())], reviews);
        Assert.Equal(polarity.Count(r => r[3].GetInt32() == r[5].GetInt32()) / (double)rows, reviews.GetProperty("accuracy").GetDouble(), 1e-12);
        Assert.Equal(polarity.Count(r => r[4].GetInt32() == r[5].GetInt32()) / (double)rows, reviews.GetProperty("accuracy_normalised").GetDouble(), 1e-12);
    }

    private static void AssertNear(List<double[]> expected, JsonElement result)
    {
        var found = result.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("loglikelihoods").EnumerateArray().Select(v => v.GetDouble()).ToArray()).ToList();
        Assert.Equal(expected.Count, found.Count);
        foreach (var (row, other) in expected.Zip(found))
        {
            Assert.All(row.Zip(other), pair => Assert.Equal(pair.First, pair.Second, RowTolerance));
        }
    }

    private static IEnumerable<object> Pairs()
    {
        foreach (var line in File.ReadLines(SharedFolder.Require("data", "crows-pairs", "crows_pairs_anonymized.csv")).Skip(1))
        {
            var fields = CsvFields(line);
            yield return new { context = "", choices = new[] { fields[1], fields[2] }, answer = 0 };
        }
    }

    /// <summary>Fields of a row without line feeds in it; quotes are doubled within quotes.</summary>
    private static List<string> CsvFields(string line)
    {
        var (fields, field, quoted) = (new List<string>(), new StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (line[i] == '"')
            {
                quoted = !quoted;
            }
            else if (line[i] == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(line[i]);
            }
        }

        return [.. fields, field.ToString()];
    }

    private static IEnumerable<object> Reviews()
    {
        using var archive = ZipFile.OpenRead(SharedFolder.Require("data", "sentiment-polarity", "sentence_polarity.zip"));
        var (negative, positive) = (Lines(archive, "rt-polarity.neg"), Lines(archive, "rt-polarity.pos"));
        for (var i = 0; i < 200; i++)
        {
            var line = (i % 2 == 0 ? negative : positive)[i / 2];
            yield return new { context = $"Review: {line}\nSentiment:", choices = new[] { "negative", "positive" }, answer = i % 2 };
        }
    }

    private static List<string> Lines(ZipArchive archive, string name)
    {
        using var reader = new StreamReader(archive.Entries.Single(e => e.Name == name).Open(), Encoding.Latin1);
        return [.. reader.ReadToEnd().Split('\n').Take(100).Select(l => l.Trim())];
    }

    private static async Task<JsonElement> EvaluateAsync(HttpClient client, object spec)
    {
        using var answer = await client.PostAsync("/api/v1/evaluations", Json.Body(spec), Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        var id = Json.Parse(body).GetProperty("job").GetProperty("id").GetString();
        var job = await client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        return job.GetProperty("result");
    }
}
