using System.Runtime.CompilerServices;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests;

/// <summary>
/// Makes ONNX Runtime's environment before any test runs. Some tests open sessions of their own beside the engine's; whichever
/// came first would otherwise decide, in a race, which kind of environment the process has.
/// </summary>
internal static class RuntimeEnvironment
{
    [ModuleInitializer]
    internal static void Create() => OrtEnv.Instance();
}
