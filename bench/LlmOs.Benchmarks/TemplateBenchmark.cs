using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Benchmarks;

/// <summary>Rendering and parsing real chat templates, beside Jinja itself in the Python that is installed; templates come from the shared folder.</summary>
internal static class TemplateBenchmark
{
    private const string Longest = "meetkai-functionary-medium-v3.2";
    private const string Common = "meta-llama-Llama-3.2-3B-Instruct";
    private const int Rounds = 5;
    private const int RendersPerRound = 300;

    private sealed record Case(string Name, string Template, JsonObject Variables, bool ParseOnly = false);

    public static async Task RunAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Environment.GetEnvironmentVariable("LLMOS_SHARED") is { Length: > 0 } stated ? stated : Path.Combine(Machine.Repository, "..", "shared"), "vectors", "chat-templates");
        var report = new Report("templates", "Real chat templates", "LlmOs", "Jinja on Python", "microseconds", moreIsBetter: false);
        foreach (var @case in await CasesAsync(folder, cancel))
        {
            List<double> ours = [], peer = [];
            for (var round = -1; round < Rounds; round++)
            {
                var (mine, theirs) = (Measure(@case), await MeasurePythonAsync(@case, cancel));
                if (round >= 0) // round -1 warms both
                {
                    ours.Add(mine);
                    peer.Add(theirs);
                }
            }

            report.Add(@case.Name, ours, peer);
        }

        await report.SaveAsync(cancel);
    }

    private static async Task<IReadOnlyList<Case>> CasesAsync(string folder, CancellationToken cancel)
    {
        var longest = await File.ReadAllTextAsync(Path.Combine(folder, "templates", Longest + ".jinja"), cancel);
        var common = await File.ReadAllTextAsync(Path.Combine(folder, "templates", Common + ".jinja"), cancel);
        var rows = (await File.ReadAllLinesAsync(Path.Combine(folder, "render.jsonl"), cancel)).Select(l => JsonNode.Parse(l)!).ToList();
        JsonObject Input(string name) => WithWords((JsonObject)rows.First(r => (string?)r["case"] == name)["input"]!.DeepClone());
        var turns = new JsonArray([.. Enumerable.Range(0, 200).Select(i => (JsonNode)new JsonObject
        {
            ["role"] = i % 2 == 0 ? "user" : "assistant",
            ["content"] = string.Concat(Enumerable.Repeat($"Sentence {i} of a long talk. ", 40)),
        })]);
        return
        [
            new($"{Longest} ({longest.Length} characters), two tools", longest, Input("tools-offer")),
            new($"{Longest}, parsing alone", longest, Input("tools-offer"), ParseOnly: true),
            new($"{Common}, one message", common, Input("one-user")),
            new($"{Common}, 200 messages of 1.1 kB", common, WithWords(new JsonObject { ["messages"] = turns, ["add_generation_prompt"] = true })),
        ];
    }

    private static JsonObject WithWords(JsonObject input)
    {
        (input["bos_token"], input["eos_token"]) = ("<s>", "</s>");
        return input;
    }

    /// <summary>Microseconds for each rendering, the messages' way from JSON included.</summary>
    private static double Measure(Case @case)
    {
        var json = JsonSerializer.SerializeToElement(@case.Variables);
        var template = ChatTemplate.Parse(@case.Template);
        var now = new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);
        var begin = Stopwatch.GetTimestamp();
        for (var turn = 0; turn < RendersPerRound; turn++)
        {
            if (@case.ParseOnly)
            {
                ChatTemplate.Parse(@case.Template);
                continue;
            }

            var variables = json.EnumerateObject().ToDictionary(p => p.Name, p => TemplateValue.FromJson(p.Value, fromUser: true));
            template.Render(variables, TemplateLimits.Default, now, TimeProvider.System, CancellationToken.None);
        }

        return Stopwatch.GetElapsedTime(begin).TotalMicroseconds / RendersPerRound;
    }

    /// <summary>The same in Python: what stands on its standard output is microseconds.</summary>
    private static async Task<double> MeasurePythonAsync(Case @case, CancellationToken cancel)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", PythonPeer])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await python.StandardInput.WriteAsync(new JsonObject
        {
            ["template"] = @case.Template,
            ["variables"] = @case.Variables.DeepClone(),
            ["parse"] = @case.ParseOnly,
            ["turns"] = RendersPerRound,
        }.ToJsonString().AsMemory(), cancel);
        python.StandardInput.Close();
        var text = await python.StandardOutput.ReadToEndAsync(cancel);
        await python.WaitForExitAsync(cancel);
        return double.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Jinja as transformers sets it up.</summary>
    private const string PythonPeer =
        """
        import datetime, json, sys, time
        import jinja2.ext
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        job = json.load(sys.stdin)
        env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
        env.filters["tojson"] = lambda x, indent=None: json.dumps(x, ensure_ascii=False, indent=indent)
        env.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
        template = env.from_string(job["template"])
        begin = time.perf_counter()
        for _ in range(job["turns"]):
            if job["parse"]:
                env.compile(job["template"])
            else:
                template.render(**job["variables"])
        print((time.perf_counter() - begin) / job["turns"] * 1e6)
        """;
}
