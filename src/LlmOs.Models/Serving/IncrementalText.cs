using LlmOs.Engine.Text;

namespace LlmOs.Models.Serving;

/// <summary>Tokens to text as they come, never showing half a character.</summary>
internal sealed class IncrementalText(ITokenizer tokenizer)
{
    private readonly List<int> _ids = [];
    private int _shown;
    private int _from;

    /// <summary>What the next token adds; empty while a character is incomplete.</summary>
    public string Append(int id)
    {
        _ids.Add(id);
        var (before, all) = Window();
        if (all.EndsWith('\uFFFD') || all.Length <= before.Length)
        {
            return "";
        }

        (_from, _shown) = (_shown, _ids.Count);
        return all[before.Length..];
    }

    /// <summary>What is left at the end: the replacement character for one that never became whole.</summary>
    public string Finish()
    {
        var (before, all) = Window();
        return all.Length > before.Length ? all[before.Length..] : "";
    }

    /// <summary>The text of the last tokens shown, which decides about blanks, and of all from there on.</summary>
    private (string Before, string All) Window()
    {
        var ids = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids)[_from..];
        return (tokenizer.Decode(ids[..(_shown - _from)], skipSpecialTokens: true), tokenizer.Decode(ids, skipSpecialTokens: true));
    }
}
