using System.Diagnostics;
using System.Globalization;
using LlmOs.Benchmarks;
using LlmOs.Tools.Training.Child;
using LlmOs.TrainingBench;
using TorchSharp;

const string Measure = "--measure"; // in the child
const int Rounds = 5;

if (args is [Replicas.Rate, var shapeName, var threadCount])
{
    var threads = int.Parse(threadCount, CultureInfo.InvariantCulture);
    torch.set_num_threads(threads);
    torch.random.manual_seed(1);
    using var alone = new TrainingRate(TrainingShapes.All.Single(s => s.Name == shapeName), threads);
    alone.Measure(); // warms it
    Console.Write(alone.Measure().ToString("R", CultureInfo.InvariantCulture));
    return 0;
}

if (args is ["--replicas", .. var replicated])
{
    await Replicas.RunAsync([.. TrainingShapes.All.Where(s => replicated.Contains(s.Name))], CancellationToken.None);
    return 0;
}

var asked = args.Where(a => a is not (Measure or MemoryCurve.Option)).ToList();
var shapes = TrainingShapes.All.Where(shape => asked.Count == 0 || asked.Contains(shape.Name)).ToList();
if (shapes.Count == 0 || asked.Except(shapes.Select(s => s.Name)).Any())
{
    Console.Error.WriteLine(
        $"""
        Training tokens/s as a share of what this machine's own matrix product would give. Results go to bench/results.

        Usage: LlmOs.TrainingBench [SHAPE ...]    SHAPE: {string.Join(", ", TrainingShapes.All.Select(s => s.Name))}; none: all of them
               LlmOs.TrainingBench --replicas SHAPE ...   two processes of one thread against one of two
               LlmOs.TrainingBench {MemoryCurve.Option}              resident memory over 2,000 steps
        """);
    return 2;
}

if (!args.Contains(Measure))
{
    // Malloc and the threads' waiting are set when a process starts, so the measuring one is a child, as the trainer is.
    var start = new ProcessStartInfo(Environment.ProcessPath!, [Measure, .. args]);
    TrainerProcess.SetEnvironment(start.Environment, Environment.ProcessorCount);
    using var child = Process.Start(start) ?? throw new InvalidOperationException("The measuring process did not start.");
    child.WaitForExit();
    return child.ExitCode;
}

torch.set_num_threads(Environment.ProcessorCount);
if (args.Contains(MemoryCurve.Option))
{
    torch.random.manual_seed(1);
    await MemoryCurve.RunAsync(Environment.ProcessorCount, CancellationToken.None);
    return 0;
}

var report = new Report("train", $"Training against the {MatrixProduct.Name} of the same precision", "training", MatrixProduct.Name, "GFLOP/s", moreIsBetter: true);
foreach (var shape in shapes)
{
    torch.random.manual_seed(1);
    using var product = new MatrixProduct(shape.Precision == "bf16" ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32);
    using var training = new TrainingRate(shape, Environment.ProcessorCount);
    List<double> tokens = [], ours = [], peer = [];
    for (var round = -1; round < Rounds; round++)
    {
        var limit = product.Measure();
        var rate = training.Measure();
        if (round >= 0) // round -1 warms both
        {
            tokens.Add(rate);
            ours.Add(rate * shape.OperationsPerToken / 1e9);
            peer.Add(limit);
        }
    }

    var about = string.Create(
        CultureInfo.InvariantCulture,
        $"{shape.Name}: {shape.Sizes.Parameters / 1e6:0.0}M weights, {shape.Precision}, {shape.Windows} x {shape.Sizes.Context} tokens: {Median.Of([.. tokens]):0} tokens/s");
    report.Add(about, ours, peer);
}

await report.SaveAsync(CancellationToken.None);
return 0;
