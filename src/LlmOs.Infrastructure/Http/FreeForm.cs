using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Http;

/// <summary>Reads JSON that lies within a body as a record of the contracts, under the rules that hold for a body.</summary>
public static class FreeForm
{
    /// <param name="path">Where the JSON lies in the body; refusals name fields below it.</param>
    public static T Read<T>(JsonElement json, string path)
        where T : class
    {
        T? value;
        try
        {
            value = json.Deserialize<T>(LlmOsJson.Options);
        }
        catch (JsonException e)
        {
            // Described by who describes all of them, at its place in the body.
            throw new JsonException(e.Message, $"$.{path}{e.Path?.TrimStart('$')}", e.LineNumber, e.BytePositionInLine, e.InnerException);
        }

        var faults = new Faults();
        ContractWalker.Walk(value ?? throw LlmOsException.Invalid(path, $"{path}: must not be null."), path, faults);
        faults.ThrowIfAny();
        return value;
    }
}
