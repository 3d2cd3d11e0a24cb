namespace TorchQuant.Kernels;

/// <summary>The elements of one window in memory.</summary>
/// <param name="Planes">How many planes; 1 in pictures.</param>
/// <param name="Rows">How many rows in a plane.</param>
/// <param name="Columns">How many elements in a row.</param>
/// <param name="PlaneStep">From a plane to the next.</param>
/// <param name="RowStep">From a row to the next.</param>
/// <param name="ColumnStep">From an element to the next.</param>
/// <param name="Divisor">By what the sum is divided, for an average.</param>
internal readonly record struct PoolingWindow(int Planes, int Rows, int Columns, nint PlaneStep, nint RowStep, nint ColumnStep, int Divisor)
{
    /// <summary>How many elements.</summary>
    public int Count => Planes * Rows * Columns;
}
