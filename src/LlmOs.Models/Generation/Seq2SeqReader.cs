using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>What a task of an encoder-decoder asks of the engine: sources, and requests by the model's settings and the caller's.</summary>
/// <param name="Sources">Ids of each prompt.</param>
/// <param name="Requests">One a prompt, without a seed.</param>
/// <param name="Choices">Texts for each prompt.</param>
internal sealed record Seq2SeqReading(IReadOnlyList<int[]> Sources, IReadOnlyList<GenerationRequest> Requests, int Choices);

/// <summary>Reads a <see cref="Seq2SeqOrder"/> with the model that is to do it.</summary>
internal static class Seq2SeqReader
{
    public static Seq2SeqReading Read(LoadedModel model, GenerationOrder order)
    {
        var asked = order.Seq2Seq!;
        var setup = model.Seq2Seq
            ?? throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model {model.Reference} is no encoder-decoder; {asked.Task} needs one.") { Field = "model" };
        var settings = setup.Defaults;
        var prefix = "";
        if (setup.Tasks.TryGetValue(asked.Task, out var own))
        {
            (settings, prefix) = (settings.Overlay(own.Settings), own.Prefix);
        }

        settings = settings.Overlay(asked.Stated);
        var tokenizer = model.Tokenizer ?? throw Refused.NoTokenizer(model.Reference, order.Field);
        if (asked.TargetLanguage is { } target)
        {
            settings = settings with { ForcedBosTokenId = tokenizer.IdOf(target) ?? throw LlmOsException.Invalid("parameters.tgt_lang", "'parameters.tgt_lang' is no language of this model.") };
        }

        List<int[]> sources = [.. order.Prompts.Select(p => p.Ids is { } ids ? [.. ids] : Encode(model, prefix + p.Text, asked, p.Field ?? order.Field))];
        var choices = settings.NumReturnSequences ?? 1;
        Require(choices == 1 || settings.DoSample == true || choices <= (settings.NumBeams ?? 1), "parameters.num_return_sequences", "must not be above num_beams");
        Require((settings.NumBeams ?? 1) <= model.Engine.Slots, "parameters.num_beams", $"must be 1 to {model.Engine.Slots}, the sequences that run together");
        int[] start = [settings.DecoderStartTokenId ?? setup.StartToken];
        return new Seq2SeqReading(sources, sources.ConvertAll(source => settings.ToRequest(start, source, model.EndTokens)), choices);
    }

    private static int[] Encode(LoadedModel model, string text, Seq2SeqOrder asked, string field)
    {
        var tokenizer = model.Tokenizer!;
        var source = SourceFrame.Of(
            tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: false), tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false));
        if (asked.SourceLanguage is { } language)
        {
            var code = tokenizer.IdOf(language) ?? throw LlmOsException.Invalid("parameters.src_lang", "'parameters.src_lang' is no language of this model.");
            source = source.In(code, model.EndTokens is [var end, ..] ? end : 0);
        }

        var max = model.Engine.Shape.Cross!.MaxSource;
        max = asked.Truncation == Truncation.None ? max : Math.Min(max, model.TokenizerLimit ?? max);
        if (source.Length == 0)
        {
            throw LlmOsException.Invalid(field, $"'{field}' holds no token. Send some text.");
        }

        if (source.Length <= max)
        {
            return source.Ids;
        }

        return asked.Truncation switch
        {
            Truncation.Right => source.Cut(max, keepsBegin: true),
            Truncation.Left => source.Cut(max, keepsBegin: false),
            Truncation.None => throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {max} tokens; '{field}' has {source.Length}.")
            {
                Field = field,
                Hint = "Shorten the text, or ask for a cut: \"truncation\": true in the parameters.",
            },
        };
    }

    private static void Require(bool holds, string field, string what)
    {
        if (!holds)
        {
            throw LlmOsException.Invalid(field, $"'{field}' {what}.");
        }
    }
}
