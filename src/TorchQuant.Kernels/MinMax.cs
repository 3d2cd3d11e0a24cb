namespace TorchQuant.Kernels;

/// <summary>The range of float data.</summary>
public static unsafe class MinMax
{
    /// <summary>The smallest and the largest number; both NaN if any number is NaN. A zero is +0, whatever its sign was.</summary>
    /// <param name="x">At least one number.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is empty: nothing has no range.</exception>
    public static (float Min, float Max) Of(ReadOnlySpan<float> x)
    {
        if (x.IsEmpty)
            throw new ArgumentException("x is empty; expected at least one number.", nameof(x));
        fixed (float* source = x)
            return Isa.Current.MinMax(source, x.Length);
    }

    /// <summary>The range of each row of x [rows, columns], where rows is the length of the outputs.</summary>
    /// <param name="x">The numbers, row-major, at least one in each row.</param>
    /// <param name="min">Receives the smallest number of each row.</param>
    /// <param name="max">Receives the largest number of each row.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a row is empty.</exception>
    public static void OfRows(ReadOnlySpan<float> x, Span<float> min, Span<float> max)
    {
        Argument.HasLength(max.Length, min.Length, nameof(max), "as many as min");
        if (min.IsEmpty || x.IsEmpty || x.Length % min.Length != 0)
            throw new ArgumentException($"x has {x.Length} elements; expected a positive multiple of the {min.Length} rows.", nameof(x));
        int columns = x.Length / min.Length;
        for (int row = 0; row < min.Length; row++)
            (min[row], max[row]) = Of(x.Slice(row * columns, columns));
    }
}
