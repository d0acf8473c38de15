using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Engine.Execution;

/// <summary>Runs an encoder graph with the names of <see cref="EncoderNames"/>. For one thread at a time.</summary>
/// <remarks>
/// Letters: B texts, S padded length. A text is always padded to the same length, whatever runs beside it: the kernels then
/// add its numbers in the same order, and its result is the same to the last bit.
/// </remarks>
internal sealed class EncoderRunner : IEncoderRunner
{
    private const int Step = 8;

    private readonly InferenceSession _session;
    private readonly EncoderShape _shape;
    private readonly StepWatch _watch;

    /// <param name="session">Disposed of by the runner.</param>
    /// <exception cref="EngineGraphException">The graph's inputs and outputs do not fit the shape.</exception>
    public EncoderRunner(InferenceSession session, EncoderShape shape, EngineOptions options, TimeProvider clock)
    {
        (_session, _shape, _watch) = (session, shape, new StepWatch(options, clock));
        Require(session.InputMetadata, EncoderNames.InputIds, needed: true);
        Require(session.InputMetadata, EncoderNames.Lengths, needed: true);
        Require(session.InputMetadata, EncoderNames.TokenTypes, shape.HasTypes);
        Require(session.InputMetadata, EncoderNames.LogitRows, shape.Head == EncoderHead.Tokens);
        Require(session.OutputMetadata, EncoderNames.Logits, shape.Head != EncoderHead.None);
        Require(session.OutputMetadata, EncoderNames.LastHiddenState, shape.HasStates);
        Require(session.OutputMetadata, EncoderNames.SentenceStates, shape.HasSentenceStates);
        Require(session.OutputMetadata, EncoderNames.Sentence, shape.SentenceWidth > 0);
        Require(session.OutputMetadata, EncoderNames.Pooled, shape.HasPooler);
    }

    public int PaddedLength(int tokens) => Math.Min((tokens + Step - 1) / Step * Step, _shape.MaxTokens);

    public float[][] Run(IReadOnlyList<EncoderText> texts, int length, EncoderOutput wanted)
    {
        var ids = new long[texts.Count * length];
        var types = new long[_shape.HasTypes ? ids.Length : 0];
        Array.Fill(ids, _shape.PadToken);
        for (var i = 0; i < texts.Count; i++)
        {
            for (var at = 0; at < texts[i].Ids.Length; at++)
            {
                ids[(i * length) + at] = texts[i].Ids[at];
                if (_shape.HasTypes && texts[i].Types is { } segments)
                {
                    types[(i * length) + at] = segments[at];
                }
            }
        }

        List<string> names = [EncoderNames.InputIds, EncoderNames.Lengths];
        List<OrtValue> values =
        [
            OrtValue.CreateTensorValueFromMemory(ids, [texts.Count, length]),
            OrtValue.CreateTensorValueFromMemory(texts.Select(t => t.Ids.Length).ToArray(), [texts.Count]),
        ];
        if (_shape.HasTypes)
        {
            names.Add(EncoderNames.TokenTypes);
            values.Add(OrtValue.CreateTensorValueFromMemory(types, [texts.Count, length]));
        }

        if (_shape.Head == EncoderHead.Tokens)
        {
            var rows = wanted == EncoderOutput.Logits ? texts.SelectMany((t, i) => (t.Places ?? []).Select(p => ((long)i * length) + p)).ToArray() : [];
            names.Add(EncoderNames.LogitRows);
            values.Add(OrtValue.CreateTensorValueFromMemory(rows, [rows.Length]));
        }

        try
        {
            using var results = Run(names, values, NameOf(wanted));
            return Cut(results[0].GetTensorDataAsSpan<float>(), texts, length, wanted);
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        _session.Dispose();
    }

    private IDisposableReadOnlyCollection<OrtValue> Run(List<string> names, List<OrtValue> values, string output)
    {
        _watch.Begin();
        try
        {
            return _session.Run(_watch.Options, names, values, [output]);
        }
        finally
        {
            _watch.End();
        }
    }

    /// <summary>Each text's own part, without what its padding gave.</summary>
    private float[][] Cut(ReadOnlySpan<float> all, IReadOnlyList<EncoderText> texts, int length, EncoderOutput wanted)
    {
        var results = new float[texts.Count][];
        var at = 0;
        for (var i = 0; i < texts.Count; i++)
        {
            var tokens = texts[i].Ids.Length;
            var (kept, stride) = (wanted, _shape.Head) switch
            {
                (EncoderOutput.States or EncoderOutput.SentenceStates, _) => (tokens * _shape.Hidden, length * _shape.Hidden),
                (EncoderOutput.Sentence, _) => (_shape.SentenceWidth, _shape.SentenceWidth),
                (EncoderOutput.Pooled, _) => (_shape.Hidden, _shape.Hidden),
                (_, EncoderHead.TextLabels) => (_shape.Labels, _shape.Labels),
                (_, EncoderHead.TokenLabels) => (tokens * _shape.Labels, length * _shape.Labels),
                (_, EncoderHead.Spans) => (tokens * 2, length * 2),
                _ => ((texts[i].Places?.Length ?? 0) * _shape.Vocabulary, (texts[i].Places?.Length ?? 0) * _shape.Vocabulary),
            };
            results[i] = all.Slice(at, kept).ToArray();
            at += stride;
        }

        return results;
    }

    private static string NameOf(EncoderOutput wanted) => wanted switch
    {
        EncoderOutput.States => EncoderNames.LastHiddenState,
        EncoderOutput.SentenceStates => EncoderNames.SentenceStates,
        EncoderOutput.Pooled => EncoderNames.Pooled,
        EncoderOutput.Logits => EncoderNames.Logits,
        EncoderOutput.Sentence => EncoderNames.Sentence,
    };

    private static void Require(IReadOnlyDictionary<string, NodeMetadata> names, string name, bool needed)
    {
        if (names.ContainsKey(name) != needed)
        {
            throw new EngineGraphException($"The graph is not an encoder of the stated shape: expected {(needed ? "" : "no ")}'{name}'.");
        }
    }
}
