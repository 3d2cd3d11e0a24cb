namespace TorchQuant.Notebooks.Engine;

/// <summary>How C# writes a type, for code that is made here.</summary>
internal static class CSharpTypeName
{
    /// <returns>The full name; <c>dynamic</c> for a type that C# cells cannot name: not public, or declared in a cell.</returns>
    public static string Of(Type type) => type.IsVisible && !type.IsPointer && !type.IsByRefLike && !IsOfCell(type) ? Name(type) : "dynamic";

    /// <summary>Whether a cell declares the type, or one that it is made of: such a type exists in memory only.</summary>
    public static bool IsOfCell(Type type) => Parts(type).Any(part => part.Assembly.IsDynamic || part.Assembly.Location.Length == 0);

    /// <summary>The type and those that it is made of: element types, type arguments.</summary>
    public static IEnumerable<Type> Parts(Type type) => type.GetGenericArguments().SelectMany(Parts)
        .Concat(type.GetElementType() is { } element ? Parts(element) : []).Prepend(type);

    private static string Name(Type type)
    {
        if (type.IsArray)
        {
            // int[][,] is an array of int[,]; its element type, and so on, is written first and the brackets of the outermost come first.
            var brackets = "";
            for (; type.IsArray; type = type.GetElementType()!) brackets += "[" + new string(',', type.GetArrayRank() - 1) + "]";
            return Name(type) + brackets;
        }
        var arguments = new Queue<Type>(type.GetGenericArguments());
        var nest = new Stack<Type>();
        for (var part = type; part is not null; part = part.DeclaringType) nest.Push(part);
        var names = nest.Select(part =>
        {
            var cut = part.Name.IndexOf('`', StringComparison.Ordinal);
            if (cut < 0) return "@" + part.Name;
            var own = Enumerable.Range(0, int.Parse(part.Name.AsSpan(cut + 1), System.Globalization.CultureInfo.InvariantCulture)).Select(_ => Of(arguments.Dequeue()));
            return $"@{part.Name[..cut]}<{string.Join(", ", own)}>";
        });
        var space = type.Namespace is { Length: > 0 } path ? string.Concat(path.Split('.').Select(name => $"@{name}.")) : "";
        return $"global::{space}{string.Join('.', names)}";
    }
}
