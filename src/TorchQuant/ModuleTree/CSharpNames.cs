using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Types as a programmer writes them, for messages that say what to declare.</summary>
internal static class CSharpNames
{
    /// <summary>The type's name in C#: <c>List&lt;Module&lt;Tensor, Tensor&gt;&gt;</c>, <c>Linear[]</c>, <c>(Tensor, Tensor)?</c>; every <paramref name="from"/> in it is written as <paramref name="to"/>.</summary>
    public static string Of(Type type, Type? from = null, Type? to = null)
    {
        if (type == from && to is not null) return Of(to);
        if (type.IsArray) return $"{Of(type.GetElementType()!, from, to)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } inner) return Of(inner, from, to) + "?";
        if (!type.IsGenericType) return type == typeof(string) ? "string" : type == typeof(object) ? "object" : type.Name;
        var arguments = string.Join(", ", type.GetGenericArguments().Select(a => Of(a, from, to)));
        if (type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal)) return $"({arguments})";
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return $"{(tick < 0 ? type.Name : type.Name[..tick])}<{arguments}>";
    }

    /// <summary>The generic base by which a module can be called: <c>Module&lt;Tensor, Tensor&gt;</c> of a Linear; plain Module where it has none.</summary>
    public static Type CallableBase(Type module)
    {
        for (var t = module.BaseType; t is not null && t != typeof(nn.Module); t = t.BaseType)
            if (t.IsGenericType && t.DeclaringType == typeof(nn) && t.Name.StartsWith("Module`", StringComparison.Ordinal)) return t;
        return typeof(nn.Module);
    }

    /// <summary>A field as the source names it: the property of a backing field, the parameter of a capture.</summary>
    public static string Field(string name)
    {
        var close = name.IndexOf('>', StringComparison.Ordinal);
        return name.StartsWith('<') && close > 1 ? name[1..close] : name;
    }
}
