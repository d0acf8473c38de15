using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Registry;

/// <summary>
/// An import is killed once at each of its fault points; in a long build also fifty times <c>kill -9</c> while imports and
/// collections run, at moments that a seed draws, on two servers side by side. After each restart what is listed is whole; in
/// the end every import has succeeded once, and the disk holds what is referred to and nothing else.
/// </summary>
public sealed class KilledImportTests
{
    [Fact]
    public async Task An_import_killed_at_each_of_its_stages_leaves_nothing_or_all()
    {
        const int Seed = 20_251_126;
        var chance = new Random(Seed);
        using var temp = new TempFolder();
        var faults = new FaultFolder(temp.At("faults"));
        var start = StartIn(temp, faults.Environment);
        var points = FaultFolder.Points("import", "store", "graph", "publish");
        HashSet<string> jobs = [];
        var server = await ServerProcess.StartAsync(start);
        try
        {
            foreach (var (kill, point) in points.Index())
            {
                WriteModel(temp.At("import", $"m{kill}"), chance.Next());
                faults.Arm(point);
                using (var doomed = server.Client())
                {
                    try
                    {
                        using var accepted = await ImportAsync(doomed, temp, kill);
                        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
                    }
                    catch (HttpRequestException)
                    {
                        // It may be so quick that the answer is lost with the server.
                    }
                }

                Assert.Equal(128 + Signals.Kill, await server.WaitForExitAsync());
                Assert.False(faults.IsArmed(point));
                await server.DisposeAsync();
                server = await ServerProcess.StartAsync(start);

                using var client = server.Client();
                await AssertConsistentAsync(client, start.Data!, kill, Seed);
                using var collected = await client.PostAsync("/api/v1/artifacts/collect", null);
                Assert.Equal(HttpStatusCode.OK, collected.StatusCode);
                var all = (await GetAsync(client, "/api/v1/jobs?limit=200")).GetProperty("items").EnumerateArray();
                await SucceedAsync(client, Assert.Single(all.Select(j => j.GetProperty("id").GetString()!).Where(jobs.Add).ToList()));
                await AssertConsistentAsync(client, start.Data!, kill, Seed);
            }

            using var last = server.Client();
            await AssertEachIsListedOnceAsync(last, points.Count);
            await AssertDiskHoldsWhatIsReferredToAsync(last, start.Data!, points.Count);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

#if LONG_TESTS
    private const int KillsEach = 25;
    private const int LongestWaitMilliseconds = 450;

    [Theory]
    [InlineData(new[] { 20261125, 52116202 })]
    public async Task A_killed_import_leaves_nothing_or_all(int[] seeds) => await Task.WhenAll(seeds.Select(RunAsync));

    private static async Task RunAsync(int seed)
    {
        var chance = new Random(seed);
        using var temp = new TempFolder();
        var start = StartIn(temp);
        List<string> jobs = [];
        for (var kill = 0; kill < KillsEach; kill++)
        {
            await using var server = await ServerProcess.StartAsync(start);
            using var client = server.Client();
            await AssertConsistentAsync(client, start.Data!, kill, seed);

            WriteModel(temp.At("import", $"m{kill}"), chance.Next());
            using var accepted = await ImportAsync(client, temp, kill);
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
            jobs.Add((await ReadAsync(accepted)).GetProperty("job").GetProperty("id").GetString()!);
            var collecting = client.PostAsync("/api/v1/artifacts/collect", null);
            await Task.Delay(chance.Next(LongestWaitMilliseconds));
            await server.KillAsync();
            await Task.WhenAny(collecting, Task.Delay(1000));
            _ = collecting.Exception; // the server was killed under it
        }

        await using var last = await ServerProcess.StartAsync(start);
        using var lastClient = last.Client();
        foreach (var job in jobs)
        {
            await SucceedAsync(lastClient, job);
        }

        await AssertConsistentAsync(lastClient, start.Data!, KillsEach, seed);
        await AssertEachIsListedOnceAsync(lastClient, KillsEach);
        await AssertDiskHoldsWhatIsReferredToAsync(lastClient, start.Data!, KillsEach);
    }
#endif

    private static ServerStart StartIn(TempFolder temp, params KeyValuePair<string, string?>[] environment) => new()
    {
        Data = temp.At("data"),
        Environment = new Dictionary<string, string?>(environment)
        {
            ["LLMOS_IMPORT_DIRS"] = temp.At("import"),
            ["LLMOS_ROLES"] = "api,inference",
            ["Collector__GraceMinutes"] = "0",
        },
    };

    private static Task<HttpResponseMessage> ImportAsync(HttpClient client, TempFolder temp, int number) =>
        client.PostAsJsonAsync("/api/v1/models/import", new { source = $"file:{temp.At("import", $"m{number}")}", name = $"m{number}" });

    private static async Task AssertEachIsListedOnceAsync(HttpClient client, int models)
    {
        for (var i = 0; i < models; i++)
        {
            Assert.Equal(1, (await GetAsync(client, $"/api/v1/models/m{i}")).GetProperty("versions").GetArrayLength());
        }
    }

    /// <summary>Waits for a job; one that was killed too often in a row is retried, as its error says.</summary>
    private static async Task SucceedAsync(HttpClient client, string job)
    {
        var view = await client.WaitForJobAsync($"/api/v1/jobs/{job}");
        if (view.GetProperty("state").GetString() == "failed")
        {
            Assert.Equal("host_lost", view.GetProperty("error").GetProperty("code").GetString());
            using var retry = await client.PostAsync($"/api/v1/jobs/{job}/retry", null);
            Assert.Equal(HttpStatusCode.OK, retry.StatusCode);
            view = await client.WaitForJobAsync($"/api/v1/jobs/{job}");
        }

        Assert.True(view.GetProperty("state").GetString() == "succeeded", view.GetRawText());
    }

    /// <summary>Every version that is listed is ready, and each of its files is there and hashes to its name.</summary>
    private static async Task AssertConsistentAsync(HttpClient client, string data, int kill, int seed)
    {
        foreach (var (reference, file) in await FilesAsync(client))
        {
            var blob = Path.Combine(data, "blobs", file[..2], file);
            Assert.True(File.Exists(blob), $"After kill {kill} (seed {seed}) {reference} lacks {file}.");
            Assert.Equal(file, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(blob))));
        }
    }

    private static async Task AssertDiskHoldsWhatIsReferredToAsync(HttpClient client, string data, int models)
    {
        using var collected = await client.PostAsync("/api/v1/artifacts/collect", null);
        Assert.Equal(HttpStatusCode.OK, collected.StatusCode);

        var referred = (await FilesAsync(client)).Select(f => f.File).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(referred, Directory.GetFiles(Path.Combine(data, "blobs"), "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(data, "scratch")));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(data, "jobs")));
        Assert.Equal(models + 1, Directory.GetDirectories(Path.Combine(data, "cache", "graphs")).Length); // the starter's is one
    }

    private static async Task<List<(string Reference, string File)>> FilesAsync(HttpClient client)
    {
        List<(string, string)> files = [];
        foreach (var model in (await GetAsync(client, "/api/v1/models?limit=500")).GetProperty("items").EnumerateArray())
        {
            var versions = await GetAsync(client, $"/api/v1/models/{model.GetProperty("name").GetString()}/versions?limit=500");
            foreach (var version in versions.GetProperty("items").EnumerateArray())
            {
                Assert.Equal("ready", version.GetProperty("state").GetString());
                var reference = $"{version.GetProperty("model").GetString()}:{version.GetProperty("version").GetInt32()}";
                files.AddRange(version.GetProperty("files").EnumerateArray().Select(f => (reference, f.GetProperty("sha256").GetString()!)));
            }
        }

        return files;
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
        return await ReadAsync(answer);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        using var document = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync());
        return document.RootElement.Clone();
    }

    /// <summary>A Llama of a megabyte and a half of random weights, so that storing and building take a moment that can be hit.</summary>
    private static void WriteModel(string folder, int seed)
    {
        const int Width = 64, Inner = 128, Vocabulary = 4096;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":{{Width}},"intermediate_size":{{Inner}},"num_hidden_layers":2,
             "num_attention_heads":4,"num_key_value_heads":4,"head_dim":16,"vocab_size":{{Vocabulary}},"max_position_embeddings":64,
             "rms_norm_eps":1e-05,"tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":2,"torch_dtype":"float32"}
            """);
        List<(string Name, int[] Shape)> tensors = [("model.embed_tokens.weight", [Vocabulary, Width]), ("model.norm.weight", [Width])];
        for (var layer = 0; layer < 2; layer++)
        {
            var at = $"model.layers.{layer}.";
            tensors.AddRange([(at + "input_layernorm.weight", [Width]), (at + "post_attention_layernorm.weight", [Width])]);
            tensors.AddRange(new[] { "q_proj", "k_proj", "v_proj", "o_proj" }.Select(name => ($"{at}self_attn.{name}.weight", new[] { Width, Width })));
            tensors.AddRange([(at + "mlp.gate_proj.weight", [Inner, Width]), (at + "mlp.up_proj.weight", [Inner, Width]), (at + "mlp.down_proj.weight", [Width, Inner])]);
        }

        long offset = 0;
        var header = new Dictionary<string, object>();
        foreach (var (name, shape) in tensors)
        {
            var bytes = shape.Aggregate(4L, (product, n) => product * n);
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { offset, offset + bytes } };
            offset += bytes;
        }

        var json = JsonSerializer.Serialize(header);
        json += new string(' ', (8 - (json.Length % 8)) % 8);
        var chance = new Random(seed);
        var weights = new float[offset / 4];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = chance.NextSingle() - 0.5f;
        }

        using var file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(BitConverter.GetBytes((long)json.Length));
        file.Write(Encoding.ASCII.GetBytes(json));
        file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(weights));
    }
}
