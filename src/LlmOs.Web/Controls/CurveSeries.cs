namespace LlmOs.Web.Controls;

/// <summary>One measured value at one step.</summary>
public sealed record CurvePoint(double Step, double Value);

/// <summary>A line of a curve.</summary>
/// <param name="Class">Its style in console.css.</param>
public sealed record CurveSeries(string Name, string Class, IReadOnlyList<CurvePoint> Points);
