using System.Runtime.InteropServices;
using System.Text.Json;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Run;

/// <summary>The body of the training thread: every way a training can end becomes a last event and an exit code.</summary>
internal static class TrainingThread
{
    public static int Run(TrainerJob job, Action<TrainerEvent> emit, TrainerControl control)
    {
        try
        {
            emit(new TrainerHello(typeof(TrainingThread).Assembly.GetName().Version!.ToString(3), TorchSharp.torch.__version__, Environment.ProcessorCount, Environment.ProcessId));
            emit(TrainerRun.Execute(job, emit, control));
            return TrainerExit.Done;
        }
        catch (OperationCanceledException)
        {
            return control.IsPause ? TrainerExit.Paused : TrainerExit.Cancelled;
        }
        catch (LlmOsException refusal)
        {
            emit(new TrainerFailed(JsonNamingPolicy.SnakeCaseLower.ConvertName(refusal.Code.ToString()), refusal.Message, refusal.Field, refusal.Hint));
            return TrainerExit.BadInput;
        }
        catch (InvalidDataException fault)
        {
            emit(new TrainerFailed("invalid_request", fault.Message, "text", null));
            return TrainerExit.BadInput;
        }
        catch (TokenizerFormatException fault)
        {
            emit(new TrainerFailed("unsupported_format", $"The tokenizer cannot encode the text: {fault.Message}", "tokenizer", null));
            return TrainerExit.BadInput;
        }
        catch (Exception fault) when (MemoryShortage.Of(fault) is { } shortage)
        {
            emit(new TrainerFailed("out_of_memory", shortage, null, "Free some memory, then retry the job, which goes on from its latest checkpoint; or submit it again with a smaller 'micro_batch_tokens'."));
            return TrainerExit.BadInput;
        }
        catch (Exception fault) when (fault is ExternalException or IOException)
        {
            // Torch's own refusals and the disk's. Other exceptions are bugs and end the process.
            Console.Error.WriteLine(fault);
            emit(new TrainerFailed("internal_error", FirstLine(fault.Message), null, null));
            return TrainerExit.Failed;
        }
    }

    private static string FirstLine(string message) => message.Split('\n')[0];
}
