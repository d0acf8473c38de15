using LlmOs.Testing;

namespace LlmOs.Server.Tests.Docker;

/// <summary>The repository's Dockerfile as its instructions, with continued lines joined and comments dropped.</summary>
internal static class Dockerfile
{
    public static IReadOnlyList<Instruction> Instructions { get; } = Parse(File.ReadAllLines(Path.Combine(SharedFolder.Repository, "Dockerfile")));

    /// <param name="Stage">The name after <c>AS</c> of the stage it stands in; empty before the first.</param>
    public sealed record Instruction(string Stage, string Word, string Rest)
    {
        public string[] Parts => Rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static List<Instruction> Parse(IEnumerable<string> lines)
    {
        List<Instruction> all = [];
        var (stage, open) = ("", "");
        foreach (var line in lines.Where(l => !l.TrimStart().StartsWith('#') && l.Trim().Length > 0))
        {
            var text = open + line.Trim();
            if (text.EndsWith('\\'))
            {
                open = text[..^1];
                continue;
            }

            open = "";
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            var (word, rest) = (text[..space], text[(space + 1)..].Trim());
            stage = word == "FROM" ? rest.Split(' ')[^1] : stage;
            all.Add(new Instruction(stage, word, rest));
        }

        return all;
    }
}
