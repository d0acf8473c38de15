namespace LlmOs.Engine;

/// <summary>How soon work is wanted.</summary>
public enum WorkClass
{
    /// <summary>Somebody waits for it.</summary>
    Interactive,

    /// <summary>It may take longer while others are at work: jobs.</summary>
    Batch,
}

/// <summary>Who asks an engine for something. Slots, prompts and batches are shared evenly between callers, whatever each of them asks.</summary>
/// <param name="Project">
/// A key's or a user's id, as far as the engine is concerned any text. Prompts of one project may begin with what another prompt
/// of it left in the cache; nobody else's.
/// </param>
public sealed record EngineCaller(string Project, WorkClass Class = WorkClass.Interactive)
{
    /// <summary>Who is not told apart from others.</summary>
    public static EngineCaller Nobody { get; } = new("");

    /// <summary>Of what there is to share, a caller gets so many parts.</summary>
    internal int Weight => Class switch
    {
        WorkClass.Interactive => 4,
        WorkClass.Batch => 1,
    };
}
