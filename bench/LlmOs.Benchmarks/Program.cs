using LlmOs.Benchmarks;

switch (args.FirstOrDefault())
{
    case "decode":
        await DecodeBenchmark.RunAsync(args.ElementAtOrDefault(1) ?? "smollm2-135m", CancellationToken.None);
        return 0;
    case "int8":
        await Int8Benchmark.RunAsync(args.ElementAtOrDefault(1) ?? "smollm2-135m", CancellationToken.None);
        return 0;
    case "tokenizers" when args.Length > 1:
        await TokenizerBenchmark.RunAsync(args[1], args.ElementAtOrDefault(2), CancellationToken.None);
        return 0;
    case "first-token" when args.Length > 1:
        await FirstTokenBenchmark.RunAsync(args[1], CancellationToken.None);
        return 0;
    case "while-training" when args.Length > 1:
        await WhileTrainingBenchmark.RunAsync(args[1], CancellationToken.None);
        return 0;
    case "fairness" when args.Length > 2:
        await FairnessBenchmark.RunAsync(args[1], args[2], CancellationToken.None);
        return 0;
    case "bare-server" when args.Length > 1:
        await FirstTokenBenchmark.BareServerAsync(args[1]);
        return 0;
    case "encoders" when args.Length > 1:
        await EncoderBenchmark.RunAsync(args[1], CancellationToken.None);
        return 0;
    case "seq2seq":
        await Seq2SeqBenchmark.RunAsync(CancellationToken.None);
        return 0;
    case "import":
        await ImportBenchmark.RunAsync(args.Length > 1 ? args[1..] : ["smollm2-135m", "qwen2.5-0.5b"], CancellationToken.None);
        return 0;
    case "import-once" when args.Length == 3:
        await ImportBenchmark.OnceAsync(args[1], args[2], CancellationToken.None);
        return 0;
    case "templates":
        await TemplateBenchmark.RunAsync(CancellationToken.None);
        return 0;
    default:
        Console.Error.WriteLine(
            """
            Usage: LlmOs.Benchmarks decode [SHAPE]        engine against a plain ONNX Runtime loop on the same graph
                   LlmOs.Benchmarks int8 [SHAPE]          decoding with weights in 8-bit blocks beside f32
                   LlmOs.Benchmarks encoders SHARED       all-MiniLM-L6-v2 by length and batch beside this machine's matrix product
                   LlmOs.Benchmarks seq2seq               an encoder-decoder, greedy beside four beams
                   LlmOs.Benchmarks templates              real chat templates, beside Jinja (needs python3 with jinja2 and the shared folder)
                   LlmOs.Benchmarks tokenizers SHARED [PART] each kind (or those with PART in their name) beside Microsoft.ML.Tokenizers
                   LlmOs.Benchmarks first-token SERVER    process start to first token; SERVER is the built LlmOs.Server.dll
                   LlmOs.Benchmarks while-training SERVER first token while a training job runs, against the job paused
                   LlmOs.Benchmarks fairness SERVER SHARED a caller of short requests beside one who floods, against the same alone
                   LlmOs.Benchmarks import [SHAPE...]     seconds and peak memory of imports, by source and precision
            Results go to bench/results.
            """);
        return 2;
}
