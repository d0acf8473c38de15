using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Http;

/// <summary>Entity tags of rows that two writers may meet: the row's version in quotes.</summary>
public static class EntityTags
{
    public static string Of(long version) => $"\"{version}\"";

    /// <summary>Refuses a change that was decided on from an older state; without If-Match, or with <c>*</c>, anything goes.</summary>
    /// <exception cref="LlmOsException">412: the row has changed since.</exception>
    public static void Require(string? ifMatch, long version)
    {
        if (ifMatch is null || ifMatch.Split(',').Any(tag => tag.Trim() is var stated && (stated == "*" || stated == Of(version))))
        {
            return;
        }

        throw new LlmOsException(ErrorCode.PreconditionFailed, $"It has changed meanwhile: its entity tag is {Of(version)} now.")
        {
            Field = "If-Match",
            Hint = "Read it again and decide with what it holds now.",
        };
    }
}
