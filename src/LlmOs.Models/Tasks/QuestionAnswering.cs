using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>
/// Answers that stand in a context, as transformers 4's pipeline gave them. A long context goes in windows that overlap.
/// </summary>
internal static class QuestionAnswering
{
    private const int DefaultWindow = 384;
    private const int DefaultStride = 128;
    private const int DefaultAnswer = 15;
    private const int MaxAnswers = 1024;

    public static async Task<object> RunAsync(EncoderModel model, PipelineRequest request, CancellationToken cancel)
    {
        var (items, isList) = PipelineInputs.Objects(
            request.Inputs,
            (item, field) => (Question: PipelineInputs.Text(item, field, "question"), Context: PipelineInputs.Text(item, field, "context"), Field: field),
            "an object with question and context, or a list of them");
        var rules = Rules.Read(request.Parameters ?? new PipelineParameters(), model);

        List<object> answers = [];
        foreach (var (question, context, field) in items)
        {
            if (string.IsNullOrWhiteSpace(context) || string.IsNullOrWhiteSpace(question))
            {
                throw LlmOsException.Invalid(field, $"'{field}' needs a question and a context that are not empty.");
            }

            var windows = Windows(model.TokenizerOf(field), question, context, field, rules);
            var logits = await model.RunAsync([.. windows.Select(w => w.Text)], EncoderOutput.Logits, cancel);
            var found = Answer(windows, logits, context, rules);
            answers.Add(rules.TopK == 1 ? found[0] : found);
        }

        return isList ? answers : answers[0];
    }

    /// <summary>Question first; only the context is cut.</summary>
    private static List<EncoderInput> Windows(IOffsetTokenizer tokenizer, string question, string context, string field, Rules rules)
    {
        var spans = tokenizer.EncodeWithOffsets(question, context, addSpecialTokens: true, parseSpecialTokens: false);
        var first = Array.FindIndex(spans, s => s.Sequence == 1);
        if (first < 0)
        {
            throw LlmOsException.Invalid(field, $"'{field}.context' holds no token that the model knows.");
        }

        TokenSpan[] own = [.. spans.Where(s => s.Sequence == 1)];
        TokenSpan[] after = [.. spans[(first + own.Length)..]];
        var asked = 0;
        TokenSpan[] before = [.. spans[..first].Where(s => s.Sequence != 0 || asked++ < rules.QuestionTokens)];
        var room = rules.Window - before.Length - after.Length;
        if (room <= rules.Stride)
        {
            throw LlmOsException.Invalid(field, $"The question has {before.Length} tokens; a window of {rules.Window} that overlaps by {rules.Stride} leaves no room for the context. Shorten the question, cut it with max_question_len, or raise max_seq_len.");
        }

        List<EncoderInput> windows = [];
        for (var start = 0; ; start += room - rules.Stride)
        {
            windows.Add(new EncoderInput([.. before, .. own.Skip(start).Take(room), .. after], Cut: 0));
            if (start + room >= own.Length)
            {
                return windows;
            }
        }
    }

    private static List<SpanAnswer> Answer(List<EncoderInput> windows, float[][] logits, string context, Rules rules)
    {
        var (none, found, characters) = (1.0, new List<SpanAnswer>(), new CharacterPlaces(context));
        for (var w = 0; w < windows.Count; w++)
        {
            var spans = windows[w].Spans;
            var (starts, ends) = (Shares(spans, logits[w], 0), Shares(spans, logits[w], 1));
            none = Math.Min(none, starts[0] * ends[0]);
            (starts[0], ends[0]) = (0, 0);
            var wanted = rules.AlignToWords ? (2 * rules.TopK) + 10 : rules.TopK;
            foreach (var (start, end, score) in Best(starts, ends, rules.AnswerTokens, wanted).Where(s => spans[s.Start].Sequence == 1 && spans[s.End].Sequence == 1))
            {
                var (first, last) = rules.AlignToWords ? (WordBegin(spans, start), WordEnd(spans, end)) : (start, end);
                var (from, to) = (spans[first].Start, spans[last].End);
                Merge(found, new SpanAnswer((float)score, characters.Of(from), characters.Of(to), context[from..to]));
            }
        }

        if (rules.HandleImpossible)
        {
            found.Add(new SpanAnswer((float)none, 0, 0, ""));
        }

        var ranked = found.OrderByDescending(a => a.Score).Take(rules.TopK).ToList();
        return ranked.Count > 0 ? ranked : [new SpanAnswer(0, 0, 0, "")];
    }

    /// <summary>Equal answers, whatever their case, are one; their scores add up.</summary>
    private static void Merge(List<SpanAnswer> found, SpanAnswer answer)
    {
        var same = found.FindIndex(a => string.Equals(a.Answer, answer.Answer, StringComparison.OrdinalIgnoreCase));
        if (same < 0)
        {
            found.Add(answer);
        }
        else
        {
            found[same] = found[same] with { Score = found[same].Score + answer.Score };
        }
    }

    /// <summary>Probabilities over the context and the first token, which stands for "no answer"; the rest is 0.</summary>
    private static double[] Shares(TokenSpan[] spans, float[] logits, int which)
    {
        bool Counts(int at) => at == 0 || spans[at].Sequence == 1;
        var best = Enumerable.Range(0, spans.Length).Where(Counts).Max(at => logits[(2 * at) + which]);
        double[] shares = [.. Enumerable.Range(0, spans.Length).Select(at => Counts(at) ? Math.Exp((double)logits[(2 * at) + which] - best) : 0)];
        var total = shares.Sum();
        return [.. shares.Select(s => s / total)];
    }

    private static List<(int Start, int End, double Score)> Best(double[] starts, double[] ends, int max, int count)
    {
        var queue = new PriorityQueue<(int Start, int End), (double Score, long Order)>();
        for (var start = 0; start < starts.Length; start++)
        {
            for (var end = start; end < Math.Min(ends.Length, start + max); end++)
            {
                var key = (starts[start] * ends[end], -(((long)start * ends.Length) + end));
                if (queue.Count < count)
                {
                    queue.Enqueue((start, end), key);
                }
                else if (queue.TryPeek(out _, out var worst) && key.CompareTo(worst) > 0)
                {
                    queue.DequeueEnqueue((start, end), key);
                }
            }
        }

        List<(int Start, int End, double Score)> best = [];
        while (queue.TryDequeue(out var span, out var key))
        {
            best.Add((span.Start, span.End, key.Score));
        }

        best.Reverse();
        return best;
    }

    /// <summary>The first token in the window of the word that a token is from.</summary>
    private static int WordBegin(TokenSpan[] spans, int at)
    {
        while (at > 0 && IsSameWord(spans[at - 1], spans[at]))
        {
            at--;
        }

        return at;
    }

    /// <summary>The last token in the window of the word that a token is from.</summary>
    private static int WordEnd(TokenSpan[] spans, int at)
    {
        while (at + 1 < spans.Length && IsSameWord(spans[at], spans[at + 1]))
        {
            at++;
        }

        return at;
    }

    private static bool IsSameWord(TokenSpan first, TokenSpan second) => (first.Sequence, first.Word) == (second.Sequence, second.Word);

    private sealed record Rules(int TopK, int AnswerTokens, int QuestionTokens, int Window, int Stride, bool HandleImpossible, bool AlignToWords)
    {
        public static Rules Read(PipelineParameters parameters, EncoderModel model)
        {
            var usual = Math.Min(DefaultWindow, Math.Min(model.Facts.MaxTokens, model.Facts.TokenizerLimit ?? DefaultWindow));
            var window = (int)(GenerationRules.CheckWhole("parameters.max_seq_len", parameters.MaxSeqLen, 8, model.Facts.MaxTokens, $"8 to {model.Facts.MaxTokens}") ?? usual);
            return new Rules(
                (int)(GenerationRules.CheckWhole("parameters.top_k", parameters.TopK is PipelineParameters.All ? null : parameters.TopK, 1, MaxAnswers, $"1 to {MaxAnswers}") ?? 1),
                (int)(GenerationRules.CheckWhole("parameters.max_answer_len", parameters.MaxAnswerLen, 1, int.MaxValue, "1 or more") ?? DefaultAnswer),
                (int)(GenerationRules.CheckWhole("parameters.max_question_len", parameters.MaxQuestionLen, 1, int.MaxValue, "1 or more") ?? int.MaxValue),
                window,
                (int)(GenerationRules.CheckWhole("parameters.doc_stride", parameters.DocStride, 0, window - 1, $"0 to {window - 1}") ?? Math.Min(window / 2, DefaultStride)),
                parameters.HandleImpossibleAnswer ?? false,
                parameters.AlignToWords ?? true);
        }
    }
}
