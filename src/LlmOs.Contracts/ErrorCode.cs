namespace LlmOs.Contracts;

/// <summary>Every refusal the platform gives, as the word in <c>code</c> on the wire (in snake case).</summary>
public enum ErrorCode
{
    /// <summary>400: a field is missing, of the wrong type or out of range.</summary>
    InvalidRequest,

    /// <summary>400: the body is not JSON, is nested deeper than 64, or repeats a key.</summary>
    InvalidJson,

    /// <summary>400: the prompt alone is longer than the model's context.</summary>
    ContextLengthExceeded,

    /// <summary>400: text was sent to a model that was imported without a tokenizer.</summary>
    NoTokenizer,

    /// <summary>400: a chat template raised, or is not a valid template.</summary>
    TemplateError,

    /// <summary>400: the model cannot do what was asked of it.</summary>
    UnsupportedTask,

    /// <summary>401: no key, or an unknown, revoked or expired one.</summary>
    InvalidApiKey,

    /// <summary>403: the key is good but lacks the scope.</summary>
    PermissionDenied,

    /// <summary>404.</summary>
    NotFound,

    /// <summary>404: no model of that name, version or alias.</summary>
    ModelNotFound,

    /// <summary>405.</summary>
    MethodNotAllowed,

    /// <summary>409.</summary>
    Conflict,

    /// <summary>412: what a change was decided on from has changed since.</summary>
    PreconditionFailed,

    /// <summary>413.</summary>
    RequestTooLarge,

    /// <summary>415.</summary>
    UnsupportedMediaType,

    /// <summary>429: too many requests wait already.</summary>
    Overloaded,

    /// <summary>503: the server is stopping or not yet ready.</summary>
    Unavailable,

    /// <summary>504: the time that the request, or the server, allows was over before the answer was whole.</summary>
    Timeout,

    /// <summary>Import: the architecture is not one of those supported.</summary>
    UnsupportedArchitecture,

    /// <summary>Import: a file is of a kind that cannot be read.</summary>
    UnsupportedFormat,

    /// <summary>Import: a file contradicts itself.</summary>
    CorruptFile,

    /// <summary>Import: a file that is needed is not there.</summary>
    MissingFile,

    /// <summary>Content does not have the hash that was stated.</summary>
    HashMismatch,

    /// <summary>A file or a model is over a limit.</summary>
    TooLarge,

    /// <summary>A source or host that the configuration does not allow.</summary>
    NotAllowed,

    /// <summary>The model or job needs more memory than there is.</summary>
    OutOfMemory,

    /// <summary>The disk has too little room.</summary>
    OutOfDisk,

    /// <summary>A job's process ended without a result.</summary>
    TrainerCrashed,

    /// <summary>A job's host went away several times in a row while it ran.</summary>
    HostLost,

    /// <summary>A job that had to succeed before this one did not.</summary>
    DependencyFailed,

    /// <summary>The trainer cannot run on this platform.</summary>
    TrainerUnavailable,

    /// <summary>The trained model and the served graph disagree.</summary>
    ParityFailed,

    /// <summary>500: a bug; the request's id finds it in the log.</summary>
    InternalError,
}
