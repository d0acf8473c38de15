using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LlmOs.Server.Http;

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and the page to try it at <c>/swagger</c>.</summary>
internal static class OpenApiSetup
{
    private const string KeyScheme = "key";

    public static void AddOpenApi(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(swagger =>
        {
            swagger.SwaggerDoc("v1", new OpenApiInfo
            {
                Title = "LlmOs",
                Version = "v1",
                Description = "Language models: keep, run, train, judge, and build applications on them.",
            });
            swagger.SupportNonNullableReferenceTypes();
            swagger.AddSecurityDefinition(KeyScheme, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "llmos_sk_..." });
            swagger.AddSecurityRequirement(document => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] });
            foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "LlmOs.*.xml").Order(StringComparer.Ordinal))
            {
                swagger.IncludeXmlComments(file);
            }

            swagger.MapUnions();
            swagger.ParameterFilter<QueryWordFilter>();
            swagger.OperationFilter<RefusalFilter>();
        });
    }

    public static void UseOpenApi(this WebApplication app)
    {
        app.UseSwagger(swagger => swagger.PreSerializeFilters.Add((document, request) =>
        {
            if (request.PathBase.HasValue)
            {
                document.Servers = [new OpenApiServer { Url = request.PathBase.Value }];
            }
        }));
        app.UseSwaggerUI(page =>
        {
            page.DocumentTitle = "LlmOs API";
            page.SwaggerEndpoint("v1/swagger.json", "LlmOs v1");

            // A session counts for calls that change something only with this header, which a foreign page cannot send.
            page.UseRequestInterceptor($"(request) => {{ request.headers['{KeyAuthentication.ConsoleHeader}'] = '1'; return request; }}");
        });
    }
}

/// <summary>Adds to each operation its request example and the refusals it can give, in the shape of its route.</summary>
internal sealed class RefusalFilter : IOperationFilter
{
    /// <summary>Refusals that an endpoint declares by a status. Those without a text keep a body that the endpoint gave them.</summary>
    private static readonly (ErrorCode Code, string? Text)[] Declared =
    [
        (ErrorCode.InvalidRequest, null),
        (ErrorCode.NotFound, "There is no such thing."),
        (ErrorCode.Conflict, "It is not in a state for that."),
        (ErrorCode.Overloaded, "Too much waits already."),
        (ErrorCode.Unavailable, null),
    ];

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var body in operation.RequestBody?.Content?.Values.OfType<OpenApiMediaType>() ?? [])
        {
            AddExamples(body, [.. metadata.OfType<RequestExample>()]);
        }

        var isOpen = metadata.OfType<IAllowAnonymous>().Any();
        if (operation.RequestBody is not null || operation.Parameters?.Count > 0)
        {
            Add(operation, context, ErrorCode.InvalidRequest, "A field is missing or wrong; the answer names it.");
        }

        if (!isOpen)
        {
            operation.Security = null; // the document's own requirement holds
            Add(operation, context, ErrorCode.InvalidApiKey, "No key, or one that is unknown, revoked or expired.");
            Add(operation, context, ErrorCode.PermissionDenied, "The key lacks the scope.");
        }
        else
        {
            operation.Security = []; // open to everybody
        }

        if (operation.RequestBody is not null)
        {
            Add(operation, context, ErrorCode.RequestTooLarge, "The body is too large.");
            Add(operation, context, ErrorCode.UnsupportedMediaType, "The content type is not accepted.");
        }

        foreach (var (code, text) in Declared)
        {
            var status = Refusals.StatusOf(code).ToString(CultureInfo.InvariantCulture);
            if (operation.Responses?.GetValueOrDefault(status) is { } declared && (text is not null || declared.Content is not { Count: > 0 }))
            {
                operation.Responses.Remove(status);
                Add(operation, context, code, text ?? declared.Description ?? code.ToWord());
            }
        }

        Add(operation, context, ErrorCode.InternalError, "A fault of the server; the request id finds it in the log.");
    }

    private static void AddExamples(OpenApiMediaType body, List<RequestExample> examples)
    {
        var named = examples.FindAll(example => example.Name is not null);
        if (named.Count > 0)
        {
            body.Examples = named.ToDictionary(example => example.Name!, IOpenApiExample (example) => new OpenApiExample { Value = JsonNode.Parse(example.Json) });
        }
        else if (examples.Count > 0)
        {
            body.Example = JsonNode.Parse(examples[^1].Json);
        }
    }

    private static void Add(OpenApiOperation operation, OperationFilterContext context, ErrorCode code, string text)
    {
        var refusal = new LlmOsException(code, text);
        var dialect = context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IDialect>().LastOrDefault() ?? PlatformDialect.Instance;
        var error = dialect.ErrorOf(refusal, "req_0123456789abcdef01234567");
        var status = error.Status.ToString(CultureInfo.InvariantCulture);
        operation.Responses ??= [];
        if (operation.Responses.TryGetValue(status, out var stated) && stated.Content?.Values.Any(c => c.Example is not null) == true)
        {
            return;
        }

        operation.Responses[status] = new OpenApiResponse
        {
            Description = text,
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [error.ContentType.Split(';')[0]] = new OpenApiMediaType
                {
                    Schema = context.SchemaGenerator.GenerateSchema(error.Body.GetType(), context.SchemaRepository),
                    Example = JsonSerializer.SerializeToNode(error.Body, error.Body.GetType(), LlmOsJson.Options),
                },
            },
        };
    }
}
