using System.Text;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Text that comes from anywhere, such as another process' output, in a form that both databases store.</summary>
internal static class JobText
{
    /// <summary>Without U+0000 and halves of surrogate pairs, and no longer than <paramref name="max"/> characters.</summary>
    public static string Storable(string text, int max)
    {
        var cut = text.Length > max ? text[..max] : text;
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)).Replace('\0', '\ufffd');
    }
}
