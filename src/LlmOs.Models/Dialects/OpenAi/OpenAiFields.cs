using System.Globalization;
using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Engine.Sampling;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>The fields that completions and chat share, checked, as the request that they stand for.</summary>
internal static class OpenAiFields
{
    /// <summary>Refuses fields of the platform's API that are not built yet, unless their value asks for nothing.</summary>
    public static void RefuseUnbuilt(GenerationFields fields)
    {
        GenerationRules.Refuse("grammar", GenerationRules.IsNothing(fields.Grammar), "constrained decoding");
        GenerationRules.Refuse("regex", GenerationRules.IsNothing(fields.Regex), "constrained decoding");
        GenerationRules.Refuse("choice", GenerationRules.IsNothing(fields.Choice), "constrained decoding");
    }

    /// <summary>The request that the fields stand for.</summary>
    /// <param name="maxTokens">Already checked by <see cref="GenerationRules.CheckMaxTokens"/>.</param>
    /// <param name="vocabulary">The model's ids go from 0 to one less.</param>
    public static TextRequest ToRequest(GenerationFields fields, int vocabulary, int maxTokens, int? topLogprobs) => new()
    {
        MaxTokens = maxTokens,
        MinTokens = (int)(GenerationRules.CheckWhole("min_tokens", fields.MinTokens, 0, maxTokens, "0 to max_tokens") ?? 0),
        Stop = GenerationRules.CheckStop("stop", fields.Stop),
        EndTokens = GenerationRules.CheckIds("stop_token_ids", fields.StopTokenIds, vocabulary),
        TopLogprobs = topLogprobs,
        Rules = new TokenRules
        {
            NoRepeatNgram = (int)(GenerationRules.CheckWhole("no_repeat_ngram_size", fields.NoRepeatNgramSize, 0, GenerationRules.MaxTokens, "0 (no rule) or more") ?? 0),
            BadWords = GenerationRules.CheckWords("bad_words_ids", fields.BadWordsIds, vocabulary),
        },
        Beams = BeamFields.Read("", fields.NumBeams, fields.LengthPenalty, fields.EarlyStopping, fields.N ?? 1),
        Sampling = new SamplingParameters
        {
            Temperature = GenerationRules.CheckNumber("temperature", fields.Temperature, 0, 2) ?? 1,
            TopP = GenerationRules.NotNothing(GenerationRules.CheckNumber("top_p", fields.TopP, 0, 1) ?? 1),
            TopK = (int)(GenerationRules.CheckWhole("top_k", fields.TopK, 0, int.MaxValue, "0 (all) or more") ?? 0),
            MinP = GenerationRules.CheckNumber("min_p", fields.MinP, 0, 1) ?? 0,
            Filters = GenerationRules.CheckNumber("top_n_sigma", fields.TopNSigma, -100, 100) is { } n and > 0 ? [new TopNSigma(n)] : [],
            TypicalP = GenerationRules.NotNothing(GenerationRules.CheckNumber("typical_p", fields.TypicalP, 0, 1) ?? 1),
            RepetitionPenalty = GenerationRules.CheckPenalty("repetition_penalty", fields.RepetitionPenalty),
            PresencePenalty = GenerationRules.CheckNumber("presence_penalty", fields.PresencePenalty, -2, 2) ?? 0,
            FrequencyPenalty = GenerationRules.CheckNumber("frequency_penalty", fields.FrequencyPenalty, -2, 2) ?? 0,
            LogitBias = CheckBias(fields.LogitBias, vocabulary),
        },
    };

    private static Dictionary<int, float>? CheckBias(IReadOnlyDictionary<string, double>? bias, int vocabulary)
    {
        if (bias is null or { Count: 0 })
        {
            return null;
        }

        var checkedBias = new Dictionary<int, float>();
        foreach (var (key, amount) in bias)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= vocabulary)
            {
                throw LlmOsException.Invalid("logit_bias", $"'logit_bias' must map token ids from 0 to {vocabulary - 1} to numbers; a key is none of them.");
            }

            if (!(amount is >= -100 and <= 100))
            {
                throw LlmOsException.Invalid("logit_bias", $"'logit_bias' of token {id} must be a number from -100 to 100, not {GenerationRules.Number(amount)}.");
            }

            checkedBias[id] = (float)amount;
        }

        return checkedBias;
    }
}
