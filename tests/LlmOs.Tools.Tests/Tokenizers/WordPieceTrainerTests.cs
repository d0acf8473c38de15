using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Tests.Tokenizers;

public sealed class WordPieceTrainerTests
{
    private static readonly (string Word, long Count)[] Words = [("newest", 6), ("low", 5), ("widest", 3), ("lower", 2)];

    [Fact]
    public void The_most_frequent_pair_is_joined_first_and_parts_within_a_word_wear_the_prefix()
    {
        // Pairs seen 9, 9, 7, 7, 6, 6 and 6 times; of equally frequent ones the earlier token goes first, as in Hugging Face's library.
        var tokens = Train(1 + 10 + 8 + 7);

        Assert.Equal(["[UNK]", "d", "e", "i", "l", "n", "o", "r", "s", "t", "w", "##d", "##e", "##i", "##o", "##r", "##s", "##t", "##w"], tokens.Take(19));
        Assert.Equal(["##es", "##est", "lo", "low", "ne", "##west", "newest"], tokens.Skip(19));
    }

    [Fact]
    public void A_character_outside_the_alphabet_teaches_nothing_about_its_word()
    {
        (string, long)[] words = [("aab", 99), ("ax", 1)];

        var tokens = WordPieceTrainer.Train(words, new Alphabet(words, coverage: 0.99), ["[UNK]"], 100, CancellationToken.None);

        Assert.Equal(["[UNK]", "a", "b", "##a", "##b", "aa", "aab"], tokens);
    }

    [Fact]
    public void A_vocabulary_without_room_for_the_characters_is_refused_with_the_number_that_is_needed()
    {
        var refusal = Assert.Throws<LlmOsException>(() => Train(18));

        Assert.Equal((ErrorCode.InvalidRequest, "vocabulary"), (refusal.Code, refusal.Field));
        Assert.Contains("take 19 tokens", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_alphabet_is_the_most_frequent_characters_up_to_the_share()
    {
        (string, long)[] words = [("ab", 90), ("c", 15), ("😀", 5)]; // 90 + 90 + 15 + 5 characters

        Assert.Equal("ab", Spell(new Alphabet(words, 0.9)));
        Assert.Equal("abc", Spell(new Alphabet(words, 0.9001)));
        Assert.Equal("abc😀", Spell(new Alphabet(words, 1)));
    }

    private static IReadOnlyList<string> Train(int vocabulary) => WordPieceTrainer.Train(Words, new Alphabet(Words, 1), ["[UNK]"], vocabulary, CancellationToken.None);

    private static string Spell(Alphabet alphabet) => alphabet.Characters.Aggregate(new StringBuilder(), (text, c) => text.Append(c)).ToString();
}
