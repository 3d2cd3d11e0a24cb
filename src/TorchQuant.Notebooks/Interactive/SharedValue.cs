using System.ComponentModel;

namespace TorchQuant.Notebooks.Interactive;

/// <summary>The way of a shared value into a C# cell: the host puts it here, and the code that declares the variable takes it. Not for use in notebooks.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SharedValue
{
    private static object? s_value;

    /// <summary>The value that the running declaration takes.</summary>
    /// <returns>The value.</returns>
    public static object? Take() => Interlocked.Exchange(ref s_value, null);

    internal static void Put(object? value) => s_value = value;
}
