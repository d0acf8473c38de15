using System.ComponentModel.DataAnnotations;
using System.Reflection;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http.Dialects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Infrastructure.Http;

/// <summary>
/// Checks what an endpoint is about to receive: data annotations on records of the contracts and on parameters, nulls where
/// none may be, and lengths of texts. A refusal names each field as it is written on the wire.
/// </summary>
public static class RequestValidation
{
    /// <summary>Makes every endpoint mapped on the returned group check its arguments first, speak the platform's dialect unless it has another, and state its scope.</summary>
    public static RouteGroupBuilder MapApiGroup(this IEndpointRouteBuilder routes, string prefix = "")
    {
        var group = routes.MapGroup(prefix);
        group.AddEndpointFilterFactory(Build);
        group.WithMetadata(PlatformDialect.Instance);
        group.StateScopes();
        return group;
    }

    private static EndpointFilterDelegate Build(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        var checks = context.MethodInfo.GetParameters()
            .Select((parameter, index) => (Index: index, Check: CheckOf(parameter)))
            .Where(c => c.Check is not null)
            .ToArray();
        if (checks.Length == 0)
        {
            return next;
        }

        return invocation =>
        {
            var faults = new Faults();
            foreach (var (index, check) in checks)
            {
                check!(invocation.Arguments[index], faults);
            }

            faults.ThrowIfAny();
            return next(invocation);
        };
    }

    private static Action<object?, Faults>? CheckOf(ParameterInfo parameter)
    {
        if (parameter.IsDefined(typeof(AsParametersAttribute)))
        {
            return CheckOfProperties(parameter.ParameterType);
        }

        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return ContractWalker.IsContract(type)
            ? (value, faults) => ContractWalker.Walk(value, "", faults)
            : CheckOf(type, parameter, parameter.Name!);
    }

    /// <summary>Parameters that stand together in a record.</summary>
    private static Action<object?, Faults>? CheckOfProperties(Type record)
    {
        var checks = record.GetProperties()
            .Where(property => property.CanWrite)
            .Select(property => (Property: property, Check: CheckOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property, property.Name)))
            .Where(c => c.Check is not null)
            .ToArray();
        return (value, faults) =>
        {
            foreach (var (property, check) in checks)
            {
                check!(property.GetValue(value), faults);
            }
        };
    }

    private static Action<object?, Faults>? CheckOf(Type type, ICustomAttributeProvider parameter, string fallback)
    {
        if (type.IsEnum)
        {
            throw new InvalidOperationException($"The parameter '{fallback}' is the enum {type.Name}; take it as {nameof(QueryWord<>)}<{type.Name}>, which reads the words that clients send.");
        }

        var rules = parameter.GetCustomAttributes(inherit: true).OfType<ValidationAttribute>().ToArray();
        var name = parameter.GetCustomAttributes(inherit: true).Select(attribute => attribute switch
        {
            FromHeaderAttribute header => header.Name,
            FromQueryAttribute query => query.Name,
            _ => null,
        }).FirstOrDefault(stated => stated is not null) ?? fallback;
        if (type.IsAssignableTo(typeof(IQueryWord)))
        {
            return (value, faults) =>
            {
                if (value is IQueryWord { IsKnown: false } word)
                {
                    faults.Add(name, $"'{Shown.Of(word.Text)}' is not one of {string.Join(", ", word.Words)}.");
                }
            };
        }

        if (type == typeof(string))
        {
            return (value, faults) =>
            {
                if (value is not string text)
                {
                    return;
                }

                // Not for JSON only: %00 in a query would reach the database too.
                if (text.Contains('\0', StringComparison.Ordinal))
                {
                    faults.Add(name, "the text holds the character U+0000, which is not accepted.");
                }

                ContractWalker.Apply(rules, value, name, faults);
            };
        }

        return rules.Length == 0 ? null : (value, faults) => ContractWalker.Apply(rules, value, name, faults);
    }
}

/// <summary>What is wrong, by field.</summary>
internal sealed class Faults
{
    private const int MaxFields = 20;
    private readonly Dictionary<string, List<string>> _byField = [];

    public bool IsFull => _byField.Count >= MaxFields;

    public void Add(string field, string message)
    {
        if (IsFull)
        {
            return;
        }

        if (!_byField.TryGetValue(field, out var messages))
        {
            _byField[field] = messages = [];
        }

        messages.Add(message);
    }

    public void ThrowIfAny()
    {
        if (_byField.Count == 0)
        {
            return;
        }

        var (field, messages) = _byField.First();
        throw new LlmOsException(ErrorCode.InvalidRequest, $"{field}: {messages[0]}")
        {
            Field = field,
            Errors = _byField.ToDictionary(fault => fault.Key, fault => fault.Value.ToArray()),
        };
    }
}
