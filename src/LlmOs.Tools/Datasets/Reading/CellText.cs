using System.Text;
using System.Text.Unicode;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>Bytes of a file as text that may be stored; else the refusal names row and field.</summary>
internal static class CellText
{
    public static string Read(ReadOnlySpan<byte> bytes, ReadPlan plan, long row, string? field)
    {
        RequireUtf8(bytes, plan, row, field);
        var text = Encoding.UTF8.GetString(bytes);
        return bytes.Contains((byte)0) ? throw RowFault.Of(plan.Place, row, $"{Named(field)}holds the character U+0000.") : text;
    }

    public static void RequireUtf8(ReadOnlySpan<byte> bytes, ReadPlan plan, long row, string? field)
    {
        if (!Utf8.IsValid(bytes))
        {
            throw RowFault.Of(plan.Place, row, $"{Named(field)}is not UTF-8. Save the file as UTF-8, or give \"encoding\": \"windows-1252\" if it was written on Windows.");
        }
    }

    public static string Named(string? field) => field is null ? "" : $"'{Shown.Of(field)}' ";
}
