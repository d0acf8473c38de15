namespace LlmOs.Infrastructure.Metering;

/// <summary>The words for what a model did. Pipelines are metered under the names of their tasks.</summary>
public static class Operations
{
    public const string Completion = "completion";

    public const string Chat = "chat";

    public const string Embedding = "embedding";

    /// <summary>Log-likelihoods of given tokens.</summary>
    public const string Scoring = "scoring";

    /// <summary>The comparison of a trained model with the graph that is to serve it.</summary>
    public const string Parity = "parity";

    /// <summary>A text that shows what a model in training has learnt.</summary>
    public const string Sample = "sample";

    /// <summary>A task's name, of which clients may make any number: <c>translation_en_to_fr</c> is <c>translation</c>.</summary>
    public static string OfTask(string task) => task.StartsWith("translation_", StringComparison.Ordinal) ? "translation" : task;
}
