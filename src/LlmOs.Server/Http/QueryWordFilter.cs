using LlmOs.Infrastructure.Http;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LlmOs.Server.Http;

/// <summary>Shows a word of a query as the enum that it stands for.</summary>
internal sealed class QueryWordFilter : IParameterFilter
{
    public void Apply(IOpenApiParameter parameter, ParameterFilterContext context)
    {
        var declared = context.ParameterInfo?.ParameterType ?? context.PropertyInfo?.PropertyType;
        var type = declared is null ? null : Nullable.GetUnderlyingType(declared) ?? declared;
        if (parameter is OpenApiParameter query && type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(QueryWord<>))
        {
            var words = type.GetGenericArguments()[0];
            query.Schema = context.SchemaGenerator.GenerateSchema(words, context.SchemaRepository);
            query.Description ??= context.SchemaRepository.Schemas.GetValueOrDefault(words.Name)?.Description;
        }
    }
}
