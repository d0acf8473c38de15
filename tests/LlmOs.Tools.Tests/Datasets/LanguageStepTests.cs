using System.IO.Compression;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Preparation.Steps;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>The language of texts that the profiles were not counted in.</summary>
public sealed class LanguageStepTests
{
    /// <summary>Files of the Universal Declaration of Human Rights, by the language's two letters.</summary>
    private const string Files =
        "ar:arb bg:bul ca:cat cs:ces da:dan de:deu el:ell_monotonic en:eng es:spa et:est eu:eus fa:pes_1 fi:fin "
        + "fr:fra he:heb hi:hin hr:hrv hu:hun id:ind it:ita ja:jpn ko:kor lt:lit lv:lav nl:nld no:nob "
        + "pl:pol pt:por_PT ro:ron ru:rus sk:slk sl:slv sv:swe th:tha tr:tur uk:ukr vi:vie zh:cmn_hans";

    [Fact]
    public async Task Articles_that_were_kept_out_of_the_profiles_are_told_in_38_languages()
    {
        await using var zip = await ZipFile.OpenReadAsync(SharedFolder.Require("data", "stopwords-udhr-porter", "udhr2.zip"), TestContext.Current.CancellationToken);
        var (all, right) = (0, 0);
        foreach (var pair in Files.Split(' '))
        {
            var (language, file) = (pair[..2], pair[3..]);
            var (texts, found) = (0, 0);
            foreach (var text in Held(zip, file))
            {
                texts++;
                found += LanguageProfiles.Default.Find(text) == language ? 1 : 0;
            }

            TestContext.Current.SendDiagnosticMessage($"{language}: {found} of {texts}");
            Assert.True(texts > 3, $"{language} has {texts} texts.");
            Assert.True(found >= 0.9 * texts, $"{language}: {found} of {texts}");
            (all, right) = (all + texts, right + found);
        }

        Assert.True(right >= 0.98 * all, $"{right} of {all}");
    }

    [Theory]
    [InlineData("newstest2019-src.eng.txt", "en", 0.96)]
    [InlineData("newstest2019-ref.deu.txt", "de", 0.96)]
    [InlineData("newstest2019-ref.zho-CN.txt", "zh", 0.99)]
    public async Task Sentences_of_news_are_told(string file, string language, double share)
    {
        var lines = (await File.ReadAllLinesAsync(SharedFolder.Require("data", "ntrex128", file), TestContext.Current.CancellationToken)).Where(l => l.Trim().Length > 0).ToList();

        var right = lines.Count(line => LanguageProfiles.Default.Find(line) == language);

        Assert.True(right >= share * lines.Count, $"{right} of {lines.Count}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("12 345 - !")]
    public void A_text_without_letters_has_no_language(string text) => Assert.Null(LanguageProfiles.Default.Find(text));

    /// <summary>Every third part between empty lines, without its heading.</summary>
    private static List<string> Held(ZipArchive zip, string file)
    {
        using var reader = new StreamReader(zip.GetEntry($"udhr2/{file}.txt")!.Open());
        List<List<string>> parts = [[]];
        while (reader.ReadLine() is { } line)
        {
            if (line.Trim().Length > 0)
            {
                parts[^1].Add(line.Trim());
            }
            else if (parts[^1].Count > 0)
            {
                parts.Add([]);
            }
        }

        return [.. parts.Where((_, index) => index % 3 == 2).SelectMany(part => part.Skip(1)).Where(text => text.Length >= 25)];
    }
}
