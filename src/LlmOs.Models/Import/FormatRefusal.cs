using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Import;

/// <summary>Turns what goes wrong while a model's files are read and written into the refusals of an import.</summary>
internal static class FormatRefusal
{
    /// <summary>Runs <paramref name="work"/>; failures that the files or the machine cause come out as refusals, bugs as they are.</summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (ModelFormatException fault)
        {
            throw Of(fault);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LlmOsException(ErrorCode.MissingFile, "A file of the model went away while it was read.", fault) { Hint = "Leave the folder as it is until the import has ended." };
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new LlmOsException(ErrorCode.NotAllowed, "A file of the model may not be read by the server's user.", fault);
        }
        catch (OutOfMemoryException fault)
        {
            throw new LlmOsException(ErrorCode.OutOfMemory, "The machine has too little memory for this model.", fault);
        }
        catch (IOException fault) when (DiskSpace.IsFull(fault))
        {
            throw DiskSpace.Full(fault);
        }
    }

    public static LlmOsException Of(ModelFormatException fault) => new(CodeOf(fault.Problem), fault.Message, fault);

    private static ErrorCode CodeOf(ModelFormatProblem problem) => problem switch
    {
        ModelFormatProblem.UnsupportedArchitecture => ErrorCode.UnsupportedArchitecture,
        ModelFormatProblem.UnsupportedFormat => ErrorCode.UnsupportedFormat,
        ModelFormatProblem.CorruptFile => ErrorCode.CorruptFile,
        ModelFormatProblem.MissingFile => ErrorCode.MissingFile,
        ModelFormatProblem.TooLarge => ErrorCode.TooLarge,
    };
}
