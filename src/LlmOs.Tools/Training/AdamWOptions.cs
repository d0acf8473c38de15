namespace LlmOs.Tools.Training;

/// <summary>AdamW's numbers.</summary>
/// <param name="Beta1">Of the first moment.</param>
/// <param name="Beta2">Of the second moment.</param>
/// <param name="Epsilon">Added to the root, after bias correction.</param>
/// <param name="WeightDecay">Decoupled: times the rate, on the weights before the step.</param>
internal sealed record AdamWOptions(double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.1);
