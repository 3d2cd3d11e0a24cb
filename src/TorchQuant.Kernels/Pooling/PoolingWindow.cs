namespace TorchQuant.Kernels;

/// <summary>The elements of one window in memory.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Columns">How many elements in a row.</param>
/// <param name="RowStep">From a row to the next.</param>
/// <param name="ColumnStep">From an element to the next.</param>
/// <param name="Divisor">By what the sum is divided, for an average.</param>
internal readonly record struct PoolingWindow(int Rows, int Columns, nint RowStep, nint ColumnStep, int Divisor);
