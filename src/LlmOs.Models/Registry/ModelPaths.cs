using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Registry;

/// <summary>
/// Routes below <c>/api/v1/models/{name}</c>. A name with a slash arrives as <c>%2F</c>, in one part of the path, or as
/// itself, in two; for the second form every route is mapped once more, which the documentation leaves out.
/// </summary>
internal sealed class ModelPaths
{
    private readonly RouteGroupBuilder _one;
    private readonly RouteGroupBuilder _two;

    public ModelPaths(RouteGroupBuilder models)
    {
        _one = models.MapGroup("/{name}");
        _one.AddEndpointFilterFactory((context, next) => WithName(context, next, (_, name) => name));
        _two = models.MapGroup("/{org}/{name}").ExcludeFromDescription();
        _two.AddEndpointFilterFactory((context, next) => WithName(context, next, (http, name) => $"{http.GetRouteValue("org")}/{name}"));
    }

    /// <summary>Maps a handler that takes the model's <c>name</c> in both forms.</summary>
    /// <param name="id">The operation's name in the documentation.</param>
    public RouteHandlerBuilder Map(string method, string pattern, Delegate handler, string id, string summary)
    {
        _two.MapMethods(pattern, [method], handler);
        return _one.MapMethods(pattern, [method], handler).WithName(id).WithSummary(summary);
    }

    /// <summary>Gives handlers the whole name, with its slash, however it stood in the path.</summary>
    private static EndpointFilterDelegate WithName(EndpointFilterFactoryContext context, EndpointFilterDelegate next, Func<HttpContext, string, string> whole)
    {
        var index = Array.FindIndex(context.MethodInfo.GetParameters(), p => p.Name == "name");
        return invocation =>
        {
            invocation.Arguments[index] = ModelName.FromPath(whole(invocation.HttpContext, (string)invocation.Arguments[index]!));
            return next(invocation);
        };
    }
}
