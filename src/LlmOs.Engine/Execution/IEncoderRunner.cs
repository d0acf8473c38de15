namespace LlmOs.Engine.Execution;

/// <summary>The seam between the encoders' loop and what computes. For one thread at a time.</summary>
internal interface IEncoderRunner : IDisposable
{
    /// <summary>The length to which a text of so many tokens is filled up.</summary>
    int PaddedLength(int tokens);

    /// <summary>One result a text. A text's numbers depend on nothing but the text and its padded length.</summary>
    float[][] Run(IReadOnlyList<EncoderText> texts, int length, EncoderOutput wanted);
}
