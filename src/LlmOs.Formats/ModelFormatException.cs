namespace LlmOs.Formats;

/// <summary>Why a published model cannot be used. The words are those of an import's error codes.</summary>
public enum ModelFormatProblem
{
    /// <summary>The architecture, or an option of it that changes numbers, is not implemented.</summary>
    UnsupportedArchitecture,

    /// <summary>The file is whole, but of a kind that is not read here.</summary>
    UnsupportedFormat,

    /// <summary>The file contradicts itself or the other files.</summary>
    CorruptFile,

    /// <summary>A file that the layout needs is not there.</summary>
    MissingFile,

    /// <summary>A file or a number in it is over a limit.</summary>
    TooLarge,
}

/// <summary>A model file that cannot be used; the message says what was found, and where.</summary>
public sealed class ModelFormatException : Exception
{
    public ModelFormatException(ModelFormatProblem problem, string message)
        : base(message) => Problem = problem;

    public ModelFormatException(ModelFormatProblem problem, string message, Exception cause)
        : base(message, cause) => Problem = problem;

    public ModelFormatProblem Problem { get; }
}
