using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Architecture.Tests;

/// <summary>Parameters of endpoints that have one form everywhere (docs/adr/0260-parameters-of-queries-have-one-form.md).</summary>
public class EndpointParameterTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    [Fact]
    public void No_endpoint_takes_a_cursor_or_an_enum_by_itself()
    {
        var handlers = Tiers.Loaded.SelectMany(project => Tiers.Assembly(project).GetTypes())
            .Where(type => type.Name.EndsWith("Endpoints", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(All))
            .Where(IsHandler)
            .ToList();

        Assert.True(handlers.Count > 40, $"only {handlers.Count} handlers were found");
        Assert.Empty(handlers.SelectMany(Faults));
    }

    [Fact]
    public void A_planted_endpoint_is_found() =>
        Assert.Equal(["after", "day"], typeof(PlantedEndpoints).GetMethods(All).SelectMany(Faults).Select(fault => fault.Split(' ')[^1]).Order());

    private static IEnumerable<string> Faults(MethodInfo method) => method.GetParameters()
        .Where(parameter => parameter.Name == "after" || IsEnum(parameter.ParameterType))
        .Select(parameter => $"{method.DeclaringType!.Name}.{method.Name} {parameter.Name}");

    /// <summary>A handler answers with a result, at once or later.</summary>
    private static bool IsHandler(MethodInfo method)
    {
        var answer = method.ReturnType is { IsGenericType: true } task && task.GetGenericTypeDefinition() == typeof(Task<>) ? task.GetGenericArguments()[0] : method.ReturnType;
        return answer.IsAssignableTo(typeof(IResult));
    }

    private static bool IsEnum(Type type) => (Nullable.GetUnderlyingType(type) ?? type).IsEnum;

    private static class PlantedEndpoints
    {
        public static string List(int limit, string? after, DayOfWeek? day) => $"{limit} {after} {day}";
    }
}
