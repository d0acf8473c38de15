using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Registry;

/// <summary>
/// Routes below one that names a model: <c>/api/v1/models/{name}</c>. The slash of a name arrives as <c>%2F</c>, in one part of
/// the path, or as itself, in two; for the second form every route is mapped once more, which the documentation leaves out.
/// </summary>
internal sealed class ModelPaths
{
    private const string Owner = "owner";

    private readonly string _parameter;
    private readonly RouteGroupBuilder _one;
    private readonly RouteGroupBuilder _two;

    /// <param name="parameter">What the name is called in the path, and in the handlers that take it.</param>
    public ModelPaths(IEndpointRouteBuilder routes, string parameter = "name")
    {
        _parameter = parameter;
        _one = routes.MapGroup($"/{{{parameter}}}");
        _two = routes.MapGroup($"/{{{Owner}}}/{{{parameter}}}").ExcludeFromDescription();
        _one.AddEndpointFilterFactory(WithWholeName);
        _two.AddEndpointFilterFactory(WithWholeName);
    }

    /// <summary>Maps a handler that takes the whole name, with its slash, however it stood in the path.</summary>
    /// <param name="id">The operation's name in the documentation.</param>
    public RouteHandlerBuilder Map(string method, string pattern, Delegate handler, string id, string summary)
    {
        var one = _one.MapMethods(pattern, [method], handler).WithName(id).WithSummary(summary);
        return new RouteHandlerBuilder([one, _two.MapMethods(pattern, [method], handler)]);
    }

    private EndpointFilterDelegate WithWholeName(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        var index = Array.FindIndex(context.MethodInfo.GetParameters(), p => p.Name == _parameter);
        return invocation =>
        {
            var last = (string)invocation.Arguments[index]!;
            invocation.Arguments[index] = ModelName.FromPath(invocation.HttpContext.GetRouteValue(Owner) is string owner ? $"{owner}/{last}" : last);
            return next(invocation);
        };
    }
}
