using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Engine.Execution;

/// <summary>The process's one ONNX Runtime environment and the way its sessions are opened.</summary>
/// <remarks>
/// All sessions share one pool of threads: two pools on the same cores fight (measured: 43 against 17 ms a step).
/// The pool's threads spin while work comes in quick succession and sleep when it stops.
/// </remarks>
internal static class OrtRuntime
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private static readonly Lock Gate = new();
    private static bool _hasGlobalPool;

    /// <summary>Opens a graph on a device.</summary>
    /// <param name="threads">Threads of the pool; the first model loaded decides. 0: one per physical core.</param>
    /// <param name="observer">Is told why no card is used where one might have been.</param>
    /// <param name="used">The device the session runs on; never <see cref="EngineDevice.Auto"/>.</param>
    /// <exception cref="EngineDeviceException">CUDA was asked for and cannot be used.</exception>
    /// <exception cref="EngineGraphException">The runtime refuses the graph.</exception>
    /// <exception cref="EngineMemoryException">There is not enough memory.</exception>
    public static InferenceSession Open(string onnxPath, EngineDevice device, int threads, IEngineObserver observer, out EngineDevice used)
    {
        if (!File.Exists(onnxPath))
        {
            throw new EngineGraphException($"There is no graph at '{onnxPath}'.");
        }

        EnsureEnvironment(threads);
        var hasCuda = OrtEnv.Instance().GetAvailableProviders().Contains(CudaProvider);
        switch (device)
        {
            case EngineDevice.Cuda when !hasCuda:
                throw new EngineDeviceException(
                    "Device 'cuda' was asked for, but this build carries ONNX Runtime for the processor only. Build with -p:OrtFlavor=cuda13, or set the device to 'cpu' or 'auto'.");
            case EngineDevice.Cuda:
                used = EngineDevice.Cuda;
                return OpenOnCuda(onnxPath, threads);
            case EngineDevice.Auto when hasCuda:
                try
                {
                    used = EngineDevice.Cuda;
                    return OpenOnCuda(onnxPath, threads);
                }
                catch (EngineDeviceException refused)
                {
                    observer.CardNotUsed(refused);
                    break;
                }
        }

        used = EngineDevice.Cpu;
        using var options = Options(threads);
        return Open(onnxPath, options);
    }

    private static InferenceSession OpenOnCuda(string onnxPath, int threads)
    {
        using var options = Options(threads);
        try
        {
            options.AppendExecutionProvider_CUDA(0);
        }
        catch (OnnxRuntimeException refused)
        {
            throw new EngineDeviceException(
                $"No NVIDIA card can be used: {refused.Message.TrimEnd('.', ' ')}. Check the driver, CUDA 13 and cuDNN 9, or set the device to 'cpu'.",
                refused);
        }

        return Open(onnxPath, options);
    }

    private static InferenceSession Open(string onnxPath, SessionOptions options)
    {
        try
        {
            return new InferenceSession(onnxPath, options);
        }
        catch (OnnxRuntimeException refused) when (IsOutOfMemory(refused))
        {
            throw new EngineMemoryException($"The machine does not give the memory that the graph '{Path.GetFileName(onnxPath)}' needs.", refused);
        }
        catch (OnnxRuntimeException refused)
        {
            throw new EngineGraphException($"ONNX Runtime refuses the graph '{Path.GetFileName(onnxPath)}': {refused.Message}", refused);
        }
    }

    /// <summary>The runtime has no code of its own for it.</summary>
    internal static bool IsOutOfMemory(OnnxRuntimeException fault) =>
        fault.Message.Contains("bad_alloc", StringComparison.Ordinal)
        || fault.Message.Contains("bad allocation", StringComparison.Ordinal)
        || fault.Message.Contains("Failed to allocate memory", StringComparison.Ordinal)
        || fault.Message.Contains("Cannot allocate memory", StringComparison.Ordinal);

    private static SessionOptions Options(int threads)
    {
        var options = new SessionOptions
        {
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        if (_hasGlobalPool)
        {
            options.DisablePerSessionThreads();
        }
        else
        {
            options.IntraOpNumThreads = threads > 0 ? threads : PhysicalCores();
        }

        return options;
    }

    private static void EnsureEnvironment(int threads)
    {
        lock (Gate)
        {
            // An environment that other code made first cannot be given a pool; its sessions then bring their own threads.
            if (OrtEnv.IsCreated)
            {
                return;
            }

            using var pool = new OrtThreadingOptions
            {
                GlobalIntraOpNumThreads = threads > 0 ? threads : PhysicalCores(),
                GlobalInterOpNumThreads = 1,
                GlobalSpinControl = true,
            };
            var environment = new EnvironmentCreationOptions
            {
                logId = "LlmOs",
                logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
                threadOptions = pool,
            };
            OrtEnv.CreateInstanceWithOptions(ref environment);
            _hasGlobalPool = true;
        }
    }

    /// <summary>Physical cores that this process may use; on other systems than Linux, what the system calls processors.</summary>
    private static int PhysicalCores()
    {
        const string processors = "/sys/devices/system/cpu";
        if (!Directory.Exists(processors))
        {
            return Environment.ProcessorCount;
        }

        var cores = Directory.EnumerateDirectories(processors, "cpu*")
            .Select(folder => Path.Combine(folder, "topology", "thread_siblings_list"))
            .Where(File.Exists)
            .Select(File.ReadAllText)
            .Distinct(StringComparer.Ordinal)
            .Count();
        return cores == 0 ? Environment.ProcessorCount : Math.Min(cores, Environment.ProcessorCount);
    }
}
