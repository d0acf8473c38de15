namespace LlmOs.Formats.Templates.Library;

/// <summary>Tables that are too long for code; they lie in the assembly.</summary>
internal static class LibraryFile
{
    public static IEnumerable<string> Lines(string name)
    {
        using var stream = typeof(LibraryFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks {name}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
