using static TorchSharp.torch;

namespace TorchQuant.Serialization;

/// <summary>The element types of the safetensors format, by their names in its header.</summary>
internal static class SafeTensorsType
{
    private static readonly (string Name, ScalarType Type, int Size)[] s_rows =
    [
        ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2), ("F64", ScalarType.Float64, 8),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>All names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", s_rows.Select(row => row.Name));

    public static bool TryFind(string name, out ScalarType type, out int size)
    {
        var row = s_rows.FirstOrDefault(row => row.Name == name);
        (type, size) = (row.Type, row.Size);
        return row.Name is not null;
    }

    public static string NameOf(ScalarType type, string tensor) =>
        s_rows.FirstOrDefault(row => row.Type == type).Name
        ?? throw new ArgumentException($"{tensor} is {type}, which a safetensors file cannot hold; it can hold {Names}. Convert the tensor first.");
}
