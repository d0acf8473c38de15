using System.ComponentModel.DataAnnotations;
using System.Reflection;
using LlmOs.Contracts;
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
    /// <summary>Makes every endpoint mapped on the returned group check its arguments first.</summary>
    public static RouteGroupBuilder MapApiGroup(this IEndpointRouteBuilder routes, string prefix = "")
    {
        var group = routes.MapGroup(prefix);
        group.AddEndpointFilterFactory(Build);
        return group;
    }

    private static EndpointFilterDelegate Build(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        var parameters = context.MethodInfo.GetParameters();
        var checks = parameters.Select((parameter, index) => (Index: index, Check: CheckOf(parameter)))
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
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (ContractWalker.IsContract(type))
        {
            return (value, faults) => ContractWalker.Walk(value, "", faults);
        }

        var rules = parameter.GetCustomAttributes<ValidationAttribute>().ToArray();
        var name = parameter.GetCustomAttribute<FromHeaderAttribute>()?.Name
            ?? parameter.GetCustomAttribute<FromQueryAttribute>()?.Name
            ?? parameter.Name!;
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
    private const int Most = 20;
    private readonly Dictionary<string, List<string>> _byField = [];

    public bool IsFull => _byField.Count >= Most;

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
