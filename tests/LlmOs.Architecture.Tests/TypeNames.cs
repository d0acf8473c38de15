using Mono.Cecil;

namespace LlmOs.Architecture.Tests;

/// <summary>Reads from compiled code which types another type names, in signatures and in what it does.</summary>
internal static class TypeNames
{
    /// <summary>Full names, as Cecil writes them: generic types with their number of arguments, <c>List`1</c>.</summary>
    public static IEnumerable<string> In(TypeDefinition type) => References(type).SelectMany(Flat).Select(t => t.FullName).Distinct();

    private static IEnumerable<TypeReference?> References(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(i => i.InterfaceType),
        .. type.Fields.Select(f => f.FieldType),
        .. type.Methods.SelectMany(OfMethod),
        .. type.Methods.Where(m => m.HasBody).SelectMany(m => m.Body.Variables).Select(v => v.VariableType),
        .. type.Methods.Where(m => m.HasBody).SelectMany(m => m.Body.Instructions).SelectMany(i => OfOperand(i.Operand)),
    ];

    private static IEnumerable<TypeReference?> OfMethod(MethodReference method) =>
    [
        method.DeclaringType,
        method.ReturnType,
        .. method.Parameters.Select(p => p.ParameterType),
        .. method is GenericInstanceMethod generic ? generic.GenericArguments : [],
    ];

    private static IEnumerable<TypeReference?> OfOperand(object? operand) => operand switch
    {
        TypeReference type => [type],
        MethodReference method => OfMethod(method),
        FieldReference field => [field.DeclaringType, field.FieldType],
        _ => [],
    };

    /// <summary>Arrays, references and generic types with the types they are made of.</summary>
    private static IEnumerable<TypeReference> Flat(TypeReference? type) => type switch
    {
        null => [],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Flat)],
        TypeSpecification made => Flat(made.ElementType),
        _ => [type],
    };
}
