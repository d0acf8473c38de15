using System.Text;
using LlmOs.Formats.Tokenizers.Patterns;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>Cuts where the script changes; Japanese kana count as Han, a space belongs to either side.</summary>
internal sealed class UnicodeScriptsSplit : IPreTokenizer
{
    private static readonly int Han = UnicodeScript.Find("Han")!.Value;
    private static readonly int Hiragana = UnicodeScript.Find("Hiragana")!.Value;
    private static readonly int Katakana = UnicodeScript.Find("Katakana")!.Value;

    public void Split(Pieces pieces)
    {
        var result = new List<Piece>(pieces.List.Count);
        foreach (var piece in pieces.List)
        {
            var text = pieces[piece];
            var last = -1;
            var start = -1; // What stands before the first character with a script is dropped, as in the format's own library.
            for (var at = 0; at < text.Length;)
            {
                Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
                var script = ScriptOf(rune.Value);
                if (script != UnicodeScript.None && last != script)
                {
                    if (start >= 0)
                    {
                        result.Add(new Piece(piece.Start + start, at - start));
                    }

                    start = at;
                }

                last = script != UnicodeScript.None ? script : last;
                at += used;
            }

            if (start >= 0)
            {
                result.Add(new Piece(piece.Start + start, text.Length - start));
            }
        }

        pieces.Replace(result);
    }

    private static int ScriptOf(int scalar)
    {
        if (scalar is 0x30FC or ' ')
        {
            return scalar == ' ' ? UnicodeScript.None : Han;
        }

        var script = UnicodeScript.Of(scalar);
        return script == Hiragana || script == Katakana ? Han : script;
    }
}
